import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();

const view = {
  deviceId: 'appliance-1',
  name: 'a.devices.example.com',
  status: 'active',
  isConnected: true,
  published: ['192.168.1.20'],
  enrolledAt: '2026-11-22T00:00:00.000Z',
};
const enrolled = {
  deviceId: 'appliance-1',
  name: view.name,
  identityCertificate: 'certificate\n',
  brokerRoot: 'root\n',
};

function page(from: number, count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) => ({ ...view, deviceId: `appliance-${from + n}` }));
}

describe('lanyard device enrol', () => {
  test('without --csr and --out says what it needs, and asks nobody', async () => {
    const heard = await terminal.pretendBroker(() => [201, enrolled]);
    expect(await terminal.run(['device', 'enrol', 'appliance-1'])).toEqual({
      code: 1,
      out: '',
      err: 'lanyard: give --csr FILE, or --out DIRECTORY, or both [admin-request-invalid]\n',
    });
    expect(heard).toEqual([]);
  });

  test('--csr prints the identity certificate', async () => {
    const heard = await terminal.pretendBroker(() => [201, enrolled]);
    await writeFile(join(terminal.directory, 'a.csr'), 'request');
    expect(await terminal.run(['device', 'enrol', 'appliance-1', '--csr', join(terminal.directory, 'a.csr')])).toEqual({
      code: 0,
      out: 'certificate\n',
      err: '',
    });
    const body = JSON.stringify({ deviceId: 'appliance-1', csr: 'request' });
    expect(heard).toEqual([{ method: 'POST', url: '/v1/appliances', token: 'Bearer secret-token', body }]);
  });

  test('--out makes a key that only its owner can read, and never sends it', async () => {
    const heard = await terminal.pretendBroker(() => [201, enrolled]);
    const out = join(terminal.directory, 'identity');
    expect(await terminal.run(['device', 'enrol', 'appliance-1', '--out', out])).toEqual({
      code: 0,
      out: `appliance-1 is a.devices.example.com; its identity is in ${out}\n`,
      err: '',
    });
    expect((await readdir(out)).toSorted()).toEqual(['broker-root.crt', 'identity.crt', 'identity.key']);
    expect((await stat(join(out, 'identity.key'))).mode & 0o777).toBe(0o600);
    expect(heard[0]?.body).toContain('BEGIN PUBLIC KEY');
    expect(heard[0]?.body).not.toContain('PRIVATE');
  });

  test('a try that failed is repeated with the same key', async () => {
    let tries = 0;
    const heard = await terminal.pretendBroker(() => (++tries === 1 ? [503, 'down'] : [201, enrolled]));
    const args = ['device', 'enrol', 'appliance-1', '--out', join(terminal.directory, 'identity')];
    expect(await terminal.run(args)).toMatchObject({
      code: 1,
      err: 'lanyard: the broker answered with status 503 [admin-request-invalid]\n',
    });
    expect(await terminal.run(args)).toMatchObject({ code: 0 });
    expect(heard[1]).toEqual(heard[0]);
  });

  test('into a directory with an identity is refused before anybody is asked', async () => {
    const heard = await terminal.pretendBroker(() => [201, enrolled]);
    const out = join(terminal.directory, 'identity');
    await mkdir(out);
    await writeFile(join(out, 'identity.crt'), 'precious');
    expect(await terminal.run(['device', 'enrol', 'appliance-1', '--out', out])).toMatchObject({
      code: 1,
      err: expect.stringContaining('[config-exists]'),
    });
    expect(await readdir(out)).toEqual(['identity.crt']);
    expect(heard).toEqual([]);
  });

  test('a request file that is not there is named', async () => {
    await terminal.pretendBroker(() => [201, enrolled]);
    const path = join(terminal.directory, 'missing.csr');
    expect(await terminal.run(['device', 'enrol', 'appliance-1', '--csr', path])).toMatchObject({
      code: 1,
      err: expect.stringContaining(path),
    });
  });

  test('what the broker says of a refusal is passed on with its code', async () => {
    await terminal.pretendBroker(() => [409, { code: 'appliance-exists', message: 'enrolled with another key' }]);
    await writeFile(join(terminal.directory, 'a.csr'), 'request');
    expect(
      await terminal.run(['device', 'enrol', 'appliance-1', '--csr', join(terminal.directory, 'a.csr')]),
    ).toMatchObject({
      code: 1,
      err: 'lanyard: enrolled with another key [appliance-exists]\n',
    });
  });
});

describe('lanyard device', () => {
  test('list prints a line for each appliance: who is certified, who is not and why', async () => {
    const lastFailure = { code: 'authority-unreachable', message: 'no route', at: view.enrolledAt };
    const appliances = [
      { ...view, certificate: { notAfter: '2027-02-20T00:00:00.000Z' } },
      {
        ...view,
        deviceId: 'appliance-2',
        isConnected: false,
        published: [],
        order: { state: 'ordering', lastFailure },
      },
    ];
    await terminal.pretendBroker(() => [200, { total: 2, appliances }]);
    expect((await terminal.run(['device', 'list'])).out).toBe(
      'appliance-1  a.devices.example.com  192.168.1.20  connected  certified until 2027-02-20\n' +
        'appliance-2  a.devices.example.com  -  away  no certificate, ordering: no route\n',
    );
    const json = (await terminal.run(['device', 'list', '--json'])).out.trim().split('\n');
    expect(json.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { deviceId: 'appliance-1' },
      { deviceId: 'appliance-2' },
    ]);
  });

  test('list goes through every page', async () => {
    const heard = await terminal.pretendBroker(({ url }) => [
      200,
      { total: 501, appliances: url?.includes('after') ? page(500, 1) : page(0, 500) },
    ]);
    const { code, out } = await terminal.run(['device', 'list']);
    expect([code, out.trim().split('\n').length]).toEqual([0, 501]);
    expect(heard.map(({ url }) => url)).toEqual([
      '/v1/appliances?limit=500',
      '/v1/appliances?limit=500&after=appliance-499',
    ]);
  });

  test('show prints what is known', async () => {
    const heard = await terminal.pretendBroker(() => [200, view]);
    expect((await terminal.run(['device', 'show', 'a/../b'])).out).toBe(`${JSON.stringify(view, undefined, 2)}\n`);
    expect(heard[0]?.url).toBe('/v1/appliances/a%2F..%2Fb');
  });

  test.each([
    [true, 'appliance-1 was asked for a new request\n'],
    [false, 'appliance-1 is away; it is asked when it comes\n'],
  ])('renew tells what happens (connected: %s)', async (isConnected, out) => {
    const heard = await terminal.pretendBroker(() => [200, { ...view, isConnected }]);
    expect(await terminal.run(['device', 'renew', 'appliance-1'])).toEqual({ code: 0, out, err: '' });
    expect(heard).toMatchObject([{ method: 'POST', url: '/v1/appliances/appliance-1/renew' }]);
  });

  test('an appliance that nobody knows is said to be unknown', async () => {
    await terminal.pretendBroker(() => [404, { code: 'appliance-unknown', message: 'no appliance of that id' }]);
    expect(await terminal.run(['device', 'show', 'appliance-9'])).toEqual({
      code: 1,
      out: '',
      err: 'lanyard: no appliance of that id [appliance-unknown]\n',
    });
  });

  test('a broker that does not run is said not to', async () => {
    await terminal.settingsFor(1);
    expect(await terminal.run(['device', 'list'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no broker answers at http://127.0.0.1:1. Is `lanyard serve` running?'),
    });
  });

  test('a token that others can read is refused before it is used', async () => {
    const heard = await terminal.pretendBroker(() => [200, view]);
    await chmod(join(terminal.directory, 'data', 'admin.token'), 0o644);
    const { code, err } = await terminal.run(['device', 'show', 'appliance-1']);
    expect(code).toBe(1);
    expect(err).toContain('can be read by others than its owner');
    expect(err).not.toContain('secret-token');
    expect(heard).toEqual([]);
  });

  test.each(['', 'hello', '[]', '{"total":"many"}', '<html>'])(
    'an answer that makes no sense (%j) is not believed',
    async (body) => {
      await terminal.pretendBroker(() => [200, body]);
      const { code, out } = await terminal.run(['device', 'list']);
      expect([code, out]).toEqual([1, '']);
    },
  );
});
