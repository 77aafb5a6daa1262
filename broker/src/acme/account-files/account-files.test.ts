import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KEYS, jwkOf, pemOf } from '../test-account-keys.ts';
import { certbot } from './certbot.ts';
import { dehydrated } from './dehydrated.ts';
import { formatOf } from './formats.ts';
import { writeFolder } from './write-folder.ts';

const CA = 'https://acme-v02.api.letsencrypt.org/directory';
const URL_AT_CA = 'https://acme-v02.api.letsencrypt.org/acme/acct/42';
const OLD_CA = 'https://acme-v01.api.letsencrypt.org/directory';
const OLD_URL = 'https://acme-v01.api.letsencrypt.org/acme/reg/42';
/** `echo https://acme-v02.api.letsencrypt.org/directory | openssl base64`, as dehydrated names the directory. */
const CA_FOLDER = 'aHR0cHM6Ly9hY21lLXYwMi5hcGkubGV0c2VuY3J5cHQub3JnL2RpcmVjdG9yeQo';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lanyard-account-files-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function folder(path: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  const directory = join(root, path);
  await mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return directory;
}

describe('certbot', () => {
  const home = 'accounts/acme-v02.api.letsencrypt.org/directory/0123456789abcdef0123456789abcdef';
  const key = jwkOf(KEYS.rsa2048);
  const registration = { body: {}, uri: URL_AT_CA };
  const files = { 'private_key.json': key, 'regr.json': registration, 'meta.json': {} };

  test('its key and URL are found', async () => {
    const directory = await folder(home, files);
    expect(await certbot.read(directory, CA)).toEqual({ keyPem: pemOf(KEYS.rsa2048), url: URL_AT_CA });
    expect(await formatOf(directory)).toBe(certbot);
  });

  test('a copy under any name is known by its URL', async () => {
    expect(await certbot.read(await folder('copy', files), CA)).toMatchObject({ url: URL_AT_CA });
  });

  test('an account carried over by links from the first API is taken without its old URL', async () => {
    await folder('accounts/acme-v01.api.letsencrypt.org/directory/0123', {
      ...files,
      'regr.json': { ...registration, uri: OLD_URL },
    });
    await mkdir(join(root, 'accounts/acme-v02.api.letsencrypt.org'));
    const link = join(root, 'accounts/acme-v02.api.letsencrypt.org/directory');
    await symlink(join(root, 'accounts/acme-v01.api.letsencrypt.org/directory'), link);
    expect(await certbot.read(join(link, '0123'), CA)).toEqual({ keyPem: pemOf(KEYS.rsa2048) });
  });

  const wrong: readonly (readonly [what: string, files: Readonly<Record<string, unknown>>, complaint: string])[] = [
    ['without its key', { 'regr.json': registration }, 'private_key.json is not there'],
    ['without its registration', { 'private_key.json': key }, 'regr.json is not there'],
    ['with a key that is not JSON', { ...files, 'private_key.json': '{"kty":' }, 'private_key.json is not JSON'],
    ['with a list for a registration', { ...files, 'regr.json': [] }, 'regr.json is not a JSON object'],
    ['with a key too long', { ...files, 'private_key.json': ' '.repeat(65_537) }, 'is too long for an account'],
    [
      'of another CA',
      { ...files, 'regr.json': { uri: 'https://ca.test/acct/1' } },
      `belongs to https://ca.test/acct/1, and acme.directory is ${CA}`,
    ],
    ['that says no CA', { ...files, 'regr.json': {} }, 'does not say which CA it belongs to'],
    ['with a URL that is none', { ...files, 'regr.json': { uri: 'file:///etc/passwd' } }, 'does not say which CA'],
  ];
  test.each(wrong)('a directory %s is refused', async (_what, content, complaint) => {
    await expect(certbot.read(await folder('copy', content), CA)).rejects.toMatchObject({
      code: 'account-unusable',
      message: expect.stringContaining(complaint),
    });
  });

  test('what is written is where certbot looks, and read back the same', async () => {
    const account = {
      directoryUrl: CA,
      keyPem: pemOf(KEYS.p256),
      url: URL_AT_CA,
      contact: [],
      nowMs: 1_795_000_000_123,
    };
    const written = certbot.write(account);
    expect(dirname(written.path)).toBe('accounts/acme-v02.api.letsencrypt.org/directory');
    const md5 = spawnSync('md5sum', {
      input: createPublicKey(KEYS.p256).export({ type: 'spki', format: 'pem' }).toString(),
    });
    expect(basename(written.path)).toBe(md5.stdout.toString().split(' ')[0]);
    expect(JSON.parse(written.files['meta.json'] ?? '')).toMatchObject({ creation_dt: '2026-11-18T11:06:40Z' });
    const made = await writeFolder(root, written);
    expect(await certbot.read(made, CA)).toEqual({ keyPem: account.keyPem, url: URL_AT_CA });
  });

  test('a port and a path of several parts belong to the name', () => {
    const account = { directoryUrl: 'https://ca.test:14000/acme/v2/dir/', keyPem: pemOf(KEYS.p256), url: URL_AT_CA };
    expect(certbot.write({ ...account, contact: [], nowMs: 0 }).path).toMatch(
      /^accounts\/ca\.test:14000\/acme\/v2\/dir\/[0-9a-f]{32}$/,
    );
  });
});

describe('dehydrated', () => {
  const pem = pemOf(KEYS.rsa2048, 'pkcs1');
  const files = { 'account_key.pem': pem, 'registration_info.json': {}, 'account_id.json': { url: URL_AT_CA } };

  test('its key and URL are found', async () => {
    const directory = await folder(`accounts/${CA_FOLDER}`, files);
    expect(await dehydrated.read(directory, CA)).toEqual({ keyPem: pemOf(KEYS.rsa2048), url: URL_AT_CA });
    expect(await formatOf(directory)).toBe(dehydrated);
    expect(await dehydrated.read(`${directory}/`, CA)).toMatchObject({ url: URL_AT_CA });
  });

  test('before its first order there is no URL yet', async () => {
    const directory = await folder(CA_FOLDER, { 'account_key.pem': pem });
    expect(await dehydrated.read(directory, CA)).toEqual({ keyPem: pemOf(KEYS.rsa2048) });
  });

  test('an account linked to from the first API’s is taken without its old URL', async () => {
    const old = Buffer.from(`${OLD_CA}\n`).toString('base64url');
    await folder(old, { ...files, 'account_id.json': { url: OLD_URL } });
    await symlink(old, join(root, CA_FOLDER));
    expect(await dehydrated.read(join(root, CA_FOLDER), CA)).toEqual({ keyPem: pemOf(KEYS.rsa2048) });
  });

  const other = Buffer.from('https://ca.test/dir\n').toString('base64url');
  const wrong: readonly (readonly [
    what: string,
    name: string,
    files: Readonly<Record<string, unknown>>,
    complaint: string,
  ])[] = [
    ['without its key', CA_FOLDER, {}, 'account_key.pem is not there'],
    ['with a public key', CA_FOLDER, { 'account_key.pem': publicPem() }, 'account_key.pem holds a public key'],
    ['with an id that is not JSON', CA_FOLDER, { ...files, 'account_id.json': 'x' }, 'account_id.json is not JSON'],
    ['that it deactivated', CA_FOLDER, { ...files, deactivated: '' }, 'dehydrated deactivated this account'],
    ['of another CA', other, { 'account_key.pem': pem }, 'belongs to https://ca.test/dir, and acme.directory is'],
    ['of a name that says no CA, without a URL', 'copy', { 'account_key.pem': pem }, 'does not say which CA'],
  ];
  test.each(wrong)('a directory %s is refused', async (_what, name, content, complaint) => {
    await expect(dehydrated.read(await folder(name, content), CA)).rejects.toMatchObject({
      code: 'account-unusable',
      message: expect.stringContaining(complaint),
    });
  });

  test('what is written is named as it names it, and read back the same', async () => {
    const account = { directoryUrl: CA, keyPem: pemOf(KEYS.p384), url: URL_AT_CA, contact: [], nowMs: 0 };
    const written = dehydrated.write(account);
    expect(written.path).toBe(`accounts/${CA_FOLDER}`);
    expect(await dehydrated.read(await writeFolder(root, written), CA)).toEqual({
      keyPem: account.keyPem,
      url: URL_AT_CA,
    });
  });
});

describe('a directory', () => {
  test('with neither key is no account', async () => {
    await expect(formatOf(root)).rejects.toMatchObject({
      code: 'account-unusable',
      message: `${root} holds no account: there is neither private_key.json (certbot) nor account_key.pem (dehydrated) in it`,
    });
  });

  test('whose key is a directory, a device without an end or a link to itself is refused at once', async () => {
    const key = join(root, 'private_key.json');
    await mkdir(key);
    await expect(certbot.read(root, CA)).rejects.toMatchObject({ message: `${key} is no file` });
    await rm(key, { recursive: true });
    await symlink('/dev/zero', key);
    await expect(certbot.read(root, CA)).rejects.toMatchObject({ message: `${key} is no file` });
    await rm(key);
    await symlink(key, key);
    await expect(certbot.read(root, CA)).rejects.toMatchObject({ code: 'account-unusable' });
  });

  // Root may read everything.
  test.skipIf(process.getuid?.() === 0)('whose key is somebody else’s is said to be so', async () => {
    const key = join(root, 'private_key.json');
    await writeFile(key, '{}');
    await chmod(key, 0);
    expect(await formatOf(root)).toBe(certbot);
    await expect(certbot.read(root, CA)).rejects.toMatchObject({
      message: `${key} may not be read by this user`,
    });
  });
});

describe('what is written', () => {
  const made = { path: 'accounts/ca', files: { key: 'secret', note: 'x' } };

  test('is for its owner only', async () => {
    const directory = await writeFolder(root, made);
    expect(directory).toBe(join(root, 'accounts/ca'));
    const modes = await Promise.all(
      ['', 'key', 'note'].map(async (name) => (await stat(join(directory, name))).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
  });

  test('replaces nothing', async () => {
    await writeFolder(root, made);
    await expect(writeFolder(root, { ...made, files: { key: 'other' } })).rejects.toMatchObject({
      code: 'config-exists',
    });
    expect(await readdir(join(root, 'accounts/ca'))).toEqual(['key', 'note']);
  });

  test('under a file, where no directory can be, is refused', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(writeFolder(join(root, 'file'), made)).rejects.toMatchObject({ code: 'config-unreadable' });
  });
});

function publicPem(): string {
  return createPublicKey(KEYS.p256).export({ type: 'spki', format: 'pem' }).toString();
}
