import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '@lanyard/sdk/testing';
import { loadConfig } from '../config.ts';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();

const INIT = ['init', '--zone', 'devices.example.com', '--broker-name', 'broker.example.com'];

describe('lanyard init', () => {
  test('makes everything that serve needs, secrets for the owner only', async () => {
    const { code, out, err } = await terminal.run(INIT);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`lanyard serve --config ${terminal.config}`);
    expect(out).toContain(`lanyard doctor --config ${terminal.config}`);
    const files = await terminal.everyFile();
    expect(Object.keys(files).toSorted()).toEqual([
      'data/admin.token',
      'data/private-ca.crt',
      'data/private-ca.key',
      'lanyard.yaml',
    ]);
    expect(files['data/admin.token']).toMatch(/^[0-9a-f]{64}\n$/);
    expect(files['data/private-ca.crt']).toBe('certificate of Lanyard private CA for devices.example.com\n');
    for (const secret of ['admin.token', 'private-ca.key']) {
      expect((await stat(join(terminal.directory, 'data', secret))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(join(terminal.directory, 'data'))).mode & 0o777).toBe(0o700);
    expect(await loadConfig(terminal.config)).toMatchObject({
      data: join(terminal.directory, 'data'),
      zone: {
        apex: 'devices.example.com',
        nameServers: [{ name: 'ns1.devices.example.com', addresses: ['127.0.0.1'] }],
      },
      mqtt: { host: '0.0.0.0', port: 8883, names: ['broker.example.com'], proxyPeers: [] },
      acme: { directory: 'https://acme-v02.api.letsencrypt.org/directory' },
      admin: { host: '127.0.0.1', port: 8080 },
    });
  });

  test('writes every option into the settings', async () => {
    const options = {
      '--ca': 'https://ca.test/directory',
      '--ca-roots': 'roots.pem',
      '--ca-identity': 'ca.test',
      '--name-server': 'ns1.example.com=192.0.2.1,2001:db8::1',
      '--mqtt-host': '127.0.0.1',
      '--mqtt-port': '0',
      '--admin-port': '9090',
      '--dns-listen': '[::1]:5353',
      '--proxy-peer': '10.0.0.0/8',
      '--reconnect-spread': '60',
    };
    expect(await terminal.run([...INIT, ...Object.entries(options).flat()])).toMatchObject({ code: 0, err: '' });
    expect(await loadConfig(terminal.config)).toMatchObject({
      zone: { nameServers: [{ name: 'ns1.example.com', addresses: ['192.0.2.1', '2001:db8::1'] }] },
      mqtt: { host: '127.0.0.1', port: 0, proxyPeers: ['10.0.0.0/8'] },
      dns: { listen: [{ host: '::1', port: 5353 }] },
      acme: { directory: 'https://ca.test/directory', roots: join(process.cwd(), 'roots.pem'), caaIdentity: 'ca.test' },
      admin: { port: 9090 },
      appliances: { reconnectSpreadSeconds: 60 },
    });
  });

  test('a second time refuses and changes nothing', async () => {
    await terminal.run(INIT);
    const before = await terminal.everyFile();
    const again = await terminal.run(['init', '--zone', 'other.example.com', '--broker-name', 'b.example.com'], {
      random: seededRandom(2),
    });
    expect(again).toEqual({
      code: 1,
      out: '',
      err: `lanyard: ${terminal.config} exists already: EEXIST: file already exists, open '${terminal.config}' [config-exists]\n`,
    });
    expect(await terminal.everyFile()).toEqual(before);
  });

  test.each(['private-ca.key', 'private-ca.crt', 'admin.token'])(
    'beside a %s from before makes nothing and keeps it',
    async (name) => {
      await mkdir(join(terminal.directory, 'data'));
      await writeFile(join(terminal.directory, 'data', name), 'precious');
      expect(await terminal.run(INIT)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('[config-exists]'),
      });
      expect(await terminal.everyFile()).toEqual({ [`data/${name}`]: 'precious' });
    },
  );

  const WRONG: readonly (readonly [args: readonly string[], complaint: string])[] = [
    [['--zone', 'Devices.Example.com'], 'zone.apex: must be a DNS name in lower case, without a trailing dot'],
    [['--broker-name', 'bad name'], 'mqtt.names'],
    [['--mqtt-port', 'abc'], '--mqtt-port: '],
    [['--admin-port', '70000'], 'admin.port: '],
    [['--ca', 'ftp://ca.test'], 'acme.directory: '],
    [['--name-server', 'ns1.example.com'], '--name-server: must look like ns1.example.com=192.0.2.1'],
    [['--name-server', 'ns1.example.com=here'], 'zone.nameServers.0.addresses.0: '],
    [['--dns-listen', '0.0.0.0'], '--dns-listen: must look like 0.0.0.0:53'],
    [['--reconnect-spread', '-1'], 'appliances.reconnectSpreadSeconds: '],
  ];

  test.each(WRONG)('with %j writes nothing and says why', async (args, complaint) => {
    const { code, out, err } = await terminal.run([...INIT, ...args]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(complaint);
    expect(err).toContain('[config-invalid]');
    expect(await readdir(terminal.directory)).toEqual([]);
  });

  test('without a zone is a wrong command line', async () => {
    const { code, err } = await terminal.run(['init', '--broker-name', 'b.example.com']);
    expect(code).toBe(2);
    expect(err).toContain("required option '--zone <name>' not specified");
    expect(await readdir(terminal.directory)).toEqual([]);
  });

  test('that cannot make a CA leaves nothing behind', async () => {
    expect(await terminal.run(INIT, { createPrivateCa: fail })).toEqual({
      code: 1,
      out: '',
      err: 'lanyard: no entropy [internal]\n',
    });
    expect(await readdir(terminal.directory)).toEqual([]);
  });
});

async function fail(): Promise<never> {
  throw new Error('no entropy');
}
