import { describe, expect, test } from 'vitest';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();
const LABEL = '8e5700ea-a4bf-41c7-8a77-e990661dcc6a';
const NAME = `${LABEL}.acme-dns.devices.example.com`;
const account = { username: 'u', password: 'p', name: NAME, label: LABEL, allowFrom: [] };
const stored = { username: 'u', password: 'p', fulldomain: NAME, subdomain: LABEL, allowfrom: [] };

describe('lanyard acme-dns register', () => {
  test.each(['mail.example.org', '*.mail.example.org'])(
    'prints what clients store for %s, and the record',
    async (name) => {
      const heard = await terminal.pretendBroker(() => [201, account]);
      const { code, out, err } = await terminal.run(['acme-dns', 'register', name]);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toEqual({ 'mail.example.org': stored });
      expect(err).toContain(`\n_acme-challenge.mail.example.org. CNAME ${NAME}.\n`);
      expect(heard).toMatchObject([{ method: 'POST', url: '/v1/acme-dns-accounts', body: '{"allowFrom":[]}' }]);
    },
  );

  test('says from where it may be used', async () => {
    const heard = await terminal.pretendBroker(() => [201, account]);
    await terminal.run(['acme-dns', 'register', 'a.example.org', '--allow-from', '192.0.2.0/24', '2001:db8::/32']);
    expect(heard[0]?.body).toBe('{"allowFrom":["192.0.2.0/24","2001:db8::/32"]}');
  });

  test('passes on why not', async () => {
    await terminal.pretendBroker(() => [409, { code: 'acme-dns-off', message: 'The acme-dns API is not served.' }]);
    const { code, out, err } = await terminal.run(['acme-dns', 'register', 'a.example.org']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('[acme-dns-off]');
  });
});

describe('lanyard acme-dns list', () => {
  const facts = { label: LABEL, name: NAME, allowFrom: [], createdAt: '2026-11-24' };

  test('shows each account, and whether it is used', async () => {
    const used = { ...facts, allowFrom: ['10.0.0.0/8', '::1/128'], lastUpdateAt: '2026-11-25' };
    await terminal.pretendBroker(() => [200, { accounts: [facts, used] }]);
    expect((await terminal.run(['acme-dns', 'list'])).out).toBe(
      `${NAME}\n  made 2026-11-24, never used, from anywhere\n` +
        `${NAME}\n  made 2026-11-24, used 2026-11-25, from 10.0.0.0/8, ::1/128\n`,
    );
    const { out } = await terminal.run(['acme-dns', 'list', '--json']);
    expect(JSON.parse(out)).toEqual({ accounts: [facts, used] });
  });

  test('says when there are none', async () => {
    await terminal.pretendBroker(() => [200, { accounts: [] }]);
    expect((await terminal.run(['acme-dns', 'list'])).out).toBe('there are no acme-dns accounts\n');
  });
});

test('lanyard acme-dns remove ends each account', async () => {
  const heard = await terminal.pretendBroker(() => [200, {}]);
  const { out } = await terminal.run(['acme-dns', 'remove', LABEL, 'a/b']);
  expect(out).toBe(`${LABEL} is removed\na/b is removed\n`);
  expect(heard.map(({ url }) => url)).toEqual([
    `/v1/acme-dns-accounts/${LABEL}/remove`,
    '/v1/acme-dns-accounts/a%2Fb/remove',
  ]);
});
