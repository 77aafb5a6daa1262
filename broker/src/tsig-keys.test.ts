import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig, parseConfig, type BrokerConfig } from './config.ts';
import { readTsigKeys, secondariesOf, transferPolicy } from './tsig-keys.ts';

const SECRET = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=';
const LEAST = {
  zone: { apex: 'devices.example.com', nameServers: [{ name: 'ns1.example.net' }] },
  mqtt: { names: ['lanyard.example.com'] },
  acme: { directory: 'https://ca.example.com/directory' },
};
const FOLLOWED = {
  keys: [{ name: 'ns1', secretFile: 'ns1.key' }],
  secondaries: [{ address: '198.51.100.1', key: 'ns1' }],
};

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanyard-tsig-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function load(secret: string, mode = 0o600): Promise<BrokerConfig> {
  await writeFile(join(directory, 'ns1.key'), secret);
  await chmod(join(directory, 'ns1.key'), mode);
  await writeFile(join(directory, 'lanyard.yaml'), stringify({ ...LEAST, dns: FOLLOWED }));
  return await loadConfig(join(directory, 'lanyard.yaml'));
}

test('a secondary has its key, from a file beside the settings', async () => {
  const config = await load(`${SECRET}\n`);
  const keys = await readTsigKeys(config);
  const secret = new Uint8Array(Buffer.from(SECRET, 'base64'));
  const key = { name: 'ns1', algorithm: 'hmac-sha256', secret };
  expect(keys).toEqual([key]);
  expect(secondariesOf(config, keys)).toEqual([{ address: '198.51.100.1', port: 53, key }]);
  expect(transferPolicy(config, keys)).toEqual({
    keys,
    secondaries: [{ address: '198.51.100.1', keyName: 'ns1' }],
    rememberedChanges: 10_000,
  });
});

test.each([
  ['that others can read', SECRET, 0o644, 'config-unreadable'],
  ['that is none', 'secret', 0o600, 'config-invalid'],
  ['that is too short', 'c2hvcnQ=', 0o600, 'config-invalid'],
])('a secret %s is refused', async (_what, secret, mode, code) => {
  const failure = await readTsigKeys(await load(secret, mode)).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code, message: expect.stringContaining('ns1.key') });
});

test('nobody may have a zone where nobody follows', () => {
  expect(transferPolicy(parseConfig(LEAST), [])).toBeUndefined();
});

test.each([
  ['a key that is not there', { ...FOLLOWED, keys: [] }, /no key ns1/],
  ['two keys of one name', { ...FOLLOWED, keys: [...FOLLOWED.keys, ...FOLLOWED.keys] }, /same name/],
  ['a name for an address', { ...FOLLOWED, secondaries: [{ address: 'ns1.example.net', key: 'ns1' }] }, /address/],
  ['an algorithm of yesterday', { ...FOLLOWED, keys: [{ ...FOLLOWED.keys[0], algorithm: 'hmac-md5' }] }, /algorithm/],
])('%s is refused', (_what, dns, complaint) => {
  expect(() => parseConfig({ ...LEAST, dns })).toThrow(complaint);
});
