import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { AccountDesk, AccountView, CommandContext } from './context.ts';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();

const key = { kind: 'EC P-256', thumbprint: 'NzbLsXh8uDCcd' };
const url = 'https://ca.test/acct/42';
const view: AccountView = {
  directoryUrl: 'https://ca.test/directory',
  file: '/data/acme-accounts/ca.json',
  url,
  key,
  isKeyChanging: false,
  atCa: { url, status: 'valid', contact: ['mailto:ops@vendor.example', 'mailto:b@vendor.example'] },
  complaint: undefined,
};

interface Rehearsal {
  /** What the desk was asked for, in order. */
  readonly asked: unknown[];
  readonly changes: Partial<CommandContext>;
}

function rehearse(answers: Partial<AccountDesk> = {}): Rehearsal {
  const asked: unknown[] = [];
  const desk: AccountDesk = {
    show: async (wishes) => (asked.push(['show', wishes]), view),
    import: async (...given) => (asked.push(['import', ...given]), { url, key, keptAside: undefined }),
    export: async (...given) => (asked.push(['export', ...given]), '/out/accounts/ca.test/directory/abc'),
    rollOver: async () => (asked.push(['rollOver']), key),
    deactivate: async () => (asked.push(['deactivate']), '/data/acme-accounts/ca.json.deactivated-2026'),
    ...answers,
  };
  return { asked, changes: { withAccountDesk: async (_which, use) => await use(desk) } };
}

describe('lanyard account show', () => {
  test('prints what there is, a line for each', async () => {
    const { asked, changes } = rehearse();
    expect(await terminal.run(['account', 'show'], changes)).toEqual({
      code: 0,
      out: `directory https://ca.test/directory
account   https://ca.test/acct/42
key       EC P-256, thumbprint NzbLsXh8uDCcd
status    valid
contact   mailto:ops@vendor.example, mailto:b@vendor.example
file      /data/acme-accounts/ca.json
`,
      err: '',
    });
    expect(asked).toEqual([['show', { isOffline: false }]]);
  });

  test('says what is not known, and why', async () => {
    const { changes } = rehearse({
      show: async () => ({ ...view, url: undefined, isKeyChanging: true, atCa: undefined, complaint: 'no route' }),
    });
    const { out } = await terminal.run(['account', 'show'], changes);
    expect(out).toContain('account   not known yet\n');
    expect(out).toContain('change    of the key was interrupted: `lanyard account rollover` finishes it\n');
    expect(out).toContain('CA        asked in vain: no route\n');
    expect(out).not.toMatch(/^(status|contact)/m);
  });

  test('--json is for machines, --offline leaves the CA alone', async () => {
    const { asked, changes } = rehearse();
    const { out } = await terminal.run(['account', 'show', '--json', '--offline'], changes);
    expect(JSON.parse(out)).toEqual({
      directory: view.directoryUrl,
      account: url,
      key,
      isKeyChanging: false,
      status: 'valid',
      contact: view.atCa?.contact,
      file: view.file,
    });
    expect(asked).toEqual([['show', { isOffline: true }]]);
  });
});

describe('lanyard account import', () => {
  test.each([
    [[], { format: 'auto', isForced: false, isOffline: false }],
    [['--format', 'certbot', '--force'], { format: 'certbot', isForced: true, isOffline: false }],
    [['--offline'], { format: 'auto', isForced: false, isOffline: true }],
  ])('with %j', async (options, wishes) => {
    await terminal.settingsFor(1);
    const { asked, changes } = rehearse();
    const { code, out } = await terminal.run(['account', 'import', 'dir', ...options], changes);
    expect(code).toBe(0);
    expect(asked).toEqual([['import', 'dir', wishes]]);
    expect(out).toContain(`imported ${url} with its key EC P-256 (NzbLsXh8uDCcd)\n`);
    expect(out).toContain(wishes.isOffline ? 'the CA was not asked' : 'the CA knows the key\n');
  });

  test('says where the account went that was there', async () => {
    await terminal.settingsFor(1);
    const { changes } = rehearse({ import: async () => ({ url: undefined, key, keptAside: '/data/old' }) });
    const { out } = await terminal.run(['account', 'import', 'dir', '--force'], changes);
    expect(out).toContain('the account that was here is kept in /data/old\nimported an account whose URL');
  });

  test('passes on why not, with its code', async () => {
    await terminal.settingsFor(1);
    const { changes } = rehearse({
      import: async () => {
        throw new LanyardError('account-unusable', { message: 'dir/regr.json is not there' });
      },
    });
    expect(await terminal.run(['account', 'import', 'dir'], changes)).toEqual({
      code: 1,
      out: '',
      err: 'lanyard: dir/regr.json is not there [account-unusable]\n',
    });
  });
});

test('lanyard account export says where, and that it is a secret', async () => {
  const { asked, changes } = rehearse();
  const { out } = await terminal.run(['account', 'export', 'out', '--format', 'dehydrated'], changes);
  expect(out).toMatch(/^made \/out\/accounts\/ca\.test\/directory\/abc\n.*keep it secret\.\n$/);
  await terminal.run(['account', 'export', 'out'], changes);
  expect(asked).toEqual([
    ['export', 'out', 'dehydrated'],
    ['export', 'out', 'certbot'],
  ]);
});

test('lanyard account rollover prints the new key’s thumbprint', async () => {
  await terminal.settingsFor(1);
  const { asked, changes } = rehearse();
  const { out } = await terminal.run(['account', 'rollover'], changes);
  expect(out).toBe('the account has a new key, EC P-256 (NzbLsXh8uDCcd); the old one is worth nothing now\n');
  expect(asked).toEqual([['rollOver']]);
});

test('lanyard account deactivate says what is left', async () => {
  await terminal.settingsFor(1);
  const { asked, changes } = rehearse();
  const { out } = await terminal.run(['account', 'deactivate', '--yes-i-mean-it'], changes);
  expect(out).toContain('deactivated; what is left of it is in /data/acme-accounts/ca.json.deactivated-2026\n');
  expect(asked).toEqual([['deactivate']]);
});

test.each([['import', 'dir'], ['rollover'], ['deactivate', '--yes-i-mean-it']])(
  'lanyard account %s while a broker runs touches nothing',
  async (...args) => {
    await terminal.pretendBroker(() => [200, {}]);
    const { asked, changes } = rehearse();
    const { code, err } = await terminal.run(['account', ...args], changes);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^lanyard: something answers at 127\.0\.0\.1 port \d+, so that a broker may run: stop it first \[broker-running\]\n$/,
    );
    expect(asked).toEqual([]);
  },
);

test.each([
  [['account']],
  [['account', 'import']],
  [['account', 'import', 'dir', '--format', 'acme.sh']],
  [['account', 'export', 'dir', '--format', 'auto']],
  [['account', 'deactivate']],
  [['account', 'rollover', 'dir']],
])('%j is a wrong command line', async (args) => {
  const { asked, changes } = rehearse();
  const { code, out } = await terminal.run(args, changes);
  expect([code, out, asked]).toEqual([2, '', []]);
});
