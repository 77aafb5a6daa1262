import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import { stringify } from 'yaml';
import { loadConfig, parseConfig } from './config.ts';

const least = {
  zone: { apex: 'devices.example.com', nameServers: [{ name: 'ns1.example.com' }] },
  mqtt: { names: ['broker.example.com'] },
  acme: { directory: 'https://ca.example.com/directory' },
};

/** What is said of a wrong setting. */
function complaintOf(input: unknown): string {
  try {
    parseConfig(input);
  } catch (error) {
    if (LanyardError.is(error, 'config-invalid')) return error.message;
    throw error;
  }
  return expect.unreachable('the settings were accepted');
}

/** The least settings with one of them replaced, named as `a.b.0.c`; undefined leaves it out. */
function withSetting(path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(least);
  const keys = path.split('.');
  let place: unknown = copy;
  for (const [index, key] of keys.entries()) {
    if (typeof place !== 'object' || place === null) throw new Error(`${path} is not in an object`);
    if (index === keys.length - 1) Reflect.set(place, key, value);
    else if (!Reflect.has(place, key)) Reflect.set(place, key, {});
    place = Reflect.get(place, key);
  }
  return copy;
}

test('everything that has a default may be left out', () => {
  expect(parseConfig(least)).toEqual({
    data: 'data',
    zone: { apex: 'devices.example.com', nameServers: [{ name: 'ns1.example.com', addresses: [] }] },
    mqtt: { host: '0.0.0.0', port: 8883, names: ['broker.example.com'], proxyPeers: [] },
    dns: {
      listen: [{ host: '0.0.0.0', port: 53 }],
      rateLimit: { perSecond: 200, errorsPerSecond: 100, slip: 2, exempt: ['127.0.0.0/8', '::1'] },
      keys: [],
      secondaries: [],
      rememberedChanges: 10_000,
    },
    acme: {
      directory: 'https://ca.example.com/directory',
      contact: [],
      challenge: 'dns-01',
      overrides: {},
      failover: [],
      publicSuffixes: [],
    },
    http: { host: '0.0.0.0', port: 80 },
    acmeDns: {
      register: 'off',
      host: '127.0.0.1',
      port: 8081,
      mostAccounts: 1_000,
      allowFrom: [],
      proxyPeers: [],
    },
    admin: { host: '127.0.0.1', port: 8080 },
    addresses: { allowCgnat: false, allowGlobal: false },
    appliances: { mode: 'resident', checkInSeconds: 21_600, reconnectSpreadSeconds: 300, renewAsleepDays: 100 },
    issuance: { concurrency: 16, failoverAfterSeconds: 900 },
    log: { level: 'info' },
  });
});

const LONG_LABEL = `${'a'.repeat(64)}.example.com`;
const LONG_APEX = `${'a.'.repeat(98)}example`;

const WRONG: readonly (readonly [setting: string, value: unknown])[] = [
  ['zone', undefined],
  ['zone.apex', undefined],
  ['zone.apex', 'Devices.example.com'],
  ['zone.apex', 'devices.example.com.'],
  ['zone.apex', 'localhost'],
  ['zone.apex', '-a.example.com'],
  ['zone.apex', 'a_b.example.com'],
  ['zone.apex', LONG_LABEL],
  ['zone.apex', LONG_APEX],
  ['acme.challenge', 'tls-alpn-01'],
  ['http.port', 65_536],
  ['zone.nameServers', []],
  ['zone.nameServers.0.name', 'ns 1'],
  ['zone.nameServers.0.addresses', ['192.0.2.256']],
  ['zone.hostmaster', 'post@example.com'],
  ['mqtt', undefined],
  ['mqtt.names', []],
  ['mqtt.names', ['Broker.example.com']],
  ['mqtt.port', 65_536],
  ['mqtt.port', -1],
  ['mqtt.port', '8883'],
  ['mqtt.port', 1.5],
  ['dns.listen', []],
  ['acme.directory', 'ftp://ca.example.com'],
  ['acme.directory', 'not a url'],
  ['acme.contact', ['admin@example.com']],
  ['acme.caaIdentity', 'LetsEncrypt.org'],
  ['acme.externalAccount', 'kid-1'],
  ['acme.externalAccount.kid', ''],
  ['acme.externalAccount.hmacKeyFile', undefined],
  ['admin.port', 'http'],
  ['addresses.allowGlobal', 'yes'],
  ['appliances.mode', 'sleepy'],
  ['appliances.checkInSeconds', 9],
  ['appliances.reconnectSpreadSeconds', 86_401],
  ['issuance.concurrency', 0],
  ['issuance.concurrency', 257],
  ['log.level', 'trace'],
];

test.each(WRONG)('a wrong %s (%j) is refused by its name', (setting, value) => {
  expect(complaintOf(withSetting(setting, value))).toMatch(new RegExp(`^${setting.replaceAll('.', '\\.')}`, 'm'));
});

test.each(['unknown', 'zone.unknown', 'mqtt.prot', 'acme.eab', 'acme.externalAccount.hmacKey', 'admin.token'])(
  'an unknown setting %s is refused',
  (setting) => {
    expect(complaintOf(withSetting(setting, 1))).toContain(setting.split('.').at(-1));
  },
);

test('every wrong setting is named, not the first only', () => {
  const complaints = complaintOf({ ...least, mqtt: { names: [], port: 70_000 }, log: { level: 'loud' } }).split('\n');
  expect(complaints.map((each) => each.split(':')[0])).toEqual(['mqtt.port', 'mqtt.names', 'log.level']);
});

test.each([undefined, null, 'text', 5, [], new Date()])('%j instead of settings is refused', (input) => {
  expect(complaintOf(input)).toMatch(/^(the file|zone)/);
});

test('the longest apex leaves room for a label and its challenge', () => {
  const apex = `${'a.'.repeat(97)}example`;
  expect(apex.length).toBeLessThanOrEqual(202);
  expect(`_${'a'.repeat(16)}._acme-challenge.${'a'.repeat(16)}.${apex}`.length).toBeLessThanOrEqual(253);
  expect(parseConfig({ ...least, zone: { ...least.zone, apex } }).zone.apex).toBe(apex);
});

describe('a settings file', () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lanyard-config-'));
    path = join(directory, 'lanyard.yaml');
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('names its paths relative to itself', async () => {
    const externalAccount = { kid: 'kid-1', hmacKeyFile: 'secrets/eab.key' };
    const acme = { ...least.acme, roots: 'roots.pem', externalAccount };
    await writeFile(path, stringify({ ...least, data: '../elsewhere', acme }));
    const config = await loadConfig(path);
    expect(config.data).toBe(join(directory, '..', 'elsewhere'));
    expect(config.acme.roots).toBe(join(directory, 'roots.pem'));
    const hmacKeyFile = join(directory, 'secrets/eab.key');
    expect(config.acme.externalAccount).toEqual({ kid: 'kid-1', hmacKeyFile });
  });

  test('that is not there is named, with what to do', async () => {
    await expect(loadConfig(path)).rejects.toMatchObject({
      code: 'config-unreadable',
      message: `${path} cannot be read. Make one with \`lanyard init\`, or name another with --config.`,
    });
  });

  const BAD_YAML = {
    'with an alias': 'a: &a [1]\nb: *a\n',
    'with a bomb of aliases': 'a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n',
    'with a setting twice': 'zone: 1\nzone: 2\n',
    'that is not YAML': 'a: [1\n',
    'of two documents': 'a: 1\n---\nb: 2\n',
  } as const;

  test.each(Object.entries(BAD_YAML))('%s is refused', async (_what, text) => {
    await writeFile(path, text);
    await expect(loadConfig(path)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining(`${path} is not YAML`),
    });
  });

  test('that is empty is told what it lacks', async () => {
    await writeFile(path, '');
    await expect(loadConfig(path)).rejects.toMatchObject({ code: 'config-invalid' });
  });
});

function ca(name: string, caaIdentity?: string) {
  return { directory: `https://${name}.example.com/directory`, ...(caaIdentity !== undefined && { caaIdentity }) };
}

describe('the acme-dns API', () => {
  const acmeDns = { register: 'open', allowFrom: ['10.0.0.0/8'], apex: 'proofs.devices.example.com' };

  test('is open to somebody, and in the zone', () => {
    expect(parseConfig({ ...least, acmeDns }).acmeDns).toMatchObject({ ...acmeDns, port: 8081 });
    expect(() => parseConfig({ ...least, acmeDns: { ...acmeDns, allowFrom: [] } })).toThrow(/acmeDns.allowFrom/);
    for (const apex of ['devices.example.com', 'proofs.example.com', 'xdevices.example.com', 'A.devices.example.com']) {
      expect(() => parseConfig({ ...least, acmeDns: { ...acmeDns, apex } })).toThrow(/acmeDns.apex/);
    }
  });
});

describe('several CAs', () => {
  test('may all be named in CAA, or none', () => {
    const pinned = { ...ca('a', 'a.example'), failover: [ca('b', 'b.example')], rehearsal: ca('c', 'a.example') };
    expect(parseConfig({ ...least, acme: pinned }).acme.failover).toMatchObject([{ caaIdentity: 'b.example' }]);
    for (const acme of [
      { ...pinned, failover: [ca('b')] },
      { ...pinned, rehearsal: ca('c') },
      { ...ca('a'), failover: [ca('b', 'b.example')] },
    ]) {
      expect(() => parseConfig({ ...least, acme })).toThrow(/caaIdentity must be set for every CA or for none/);
    }
  });

  test('are told apart by their directories', () => {
    const acme = { ...ca('a'), failover: [ca('b'), ca('a')] };
    expect(() => parseConfig({ ...least, acme })).toThrow(/two CAs have the same directory/);
  });
});
