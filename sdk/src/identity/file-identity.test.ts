import { createPrivateKey } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issue } from '../link/test-authority.ts';
import { createIdentityKey, fileIdentity } from './file-identity.ts';
import { keyHashOf } from './key-pair.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanyard-identity-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('an identity in files', () => {
  test('is read whole', async () => {
    const { leaf, root } = await fill();
    const identity = await fileIdentity(directory);
    expect(identity.deviceId).toBe('camera-00042');
    expect(identity.certificatePem).toBe(leaf.certificatePem);
    expect(identity.brokerRootPem).toBe(root.certificatePem);
    expect(keyHashOf(identity.keyPem)).toBe(keyHashOf(leaf.keyPem));
  });

  test('may hold its key in the older SEC1 form', async () => {
    const { leaf } = await fill();
    const sec1 = createPrivateKey(leaf.keyPem).export({ format: 'pem', type: 'sec1' }).toString();
    await writeFile(join(directory, 'identity.key'), sec1);
    const { keyPem } = await fileIdentity(directory);
    expect(keyPem).toContain('BEGIN PRIVATE KEY');
    expect(keyHashOf(keyPem)).toBe(keyHashOf(leaf.keyPem));
  });

  test.each(['identity.key', 'identity.crt', 'broker-root.crt'])('without %s names the missing file', async (file) => {
    await fill();
    await rm(join(directory, file));
    await expect(fileIdentity(directory)).rejects.toMatchObject({
      code: 'identity-unreadable',
      message: `${join(directory, file)} does not exist`,
      details: { file },
    });
  });

  test.each(['identity.key', 'identity.crt', 'broker-root.crt'])('with rubbish in %s names that file', async (file) => {
    await fill();
    for (const rubbish of [
      '',
      'rubbish',
      '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----',
      'x'.repeat(70_000),
    ]) {
      await writeFile(join(directory, file), rubbish);
      await expect(fileIdentity(directory)).rejects.toMatchObject({ code: 'identity-unreadable', details: { file } });
    }
  });

  test.each([0o640, 0o604, 0o660])('is refused while its key has mode %o', async (mode) => {
    await fill();
    await chmod(join(directory, 'identity.key'), mode);
    await expect(fileIdentity(directory)).rejects.toThrow(/chmod 600/);
  });

  test('is refused when key and certificate are not of one pair', async () => {
    await fill();
    const other = await issue({ commonName: 'camera-00042' });
    await writeFile(join(directory, 'identity.crt'), other.certificatePem);
    await expect(fileIdentity(directory)).rejects.toThrow(/not issued for the key/);
  });

  test.each(['short', 'Camera-00042', 'a/b/c/d/e/f', 'camera 00042'])('is refused for the name "%s"', async (name) => {
    await fill(name);
    await expect(fileIdentity(directory)).rejects.toThrow(/common name/);
  });

  test('is refused when the root is not a CA', async () => {
    await fill();
    const leaf = await issue({ commonName: 'broker.example.com' });
    await writeFile(join(directory, 'broker-root.crt'), leaf.certificatePem);
    await expect(fileIdentity(directory)).rejects.toThrow(/not the certificate of a CA/);
  });

  test('never tells the key in an error', async () => {
    const { leaf } = await fill();
    const torn = leaf.keyPem.slice(0, 120);
    await writeFile(join(directory, 'identity.key'), torn);
    const error: unknown = await fileIdentity(directory).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'identity-unreadable' });
    expect(JSON.stringify(error) + String(error)).not.toContain(torn.slice(40, 60));
  });
});

describe('the key of an identity', () => {
  test('is written for its owner only, and its request asks for the device id', async () => {
    const nested = join(directory, 'made', 'for', 'it');
    const request = await createIdentityKey(nested, 'camera-00042');
    expect(request).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
    const { mode } = await stat(join(nested, 'identity.key'));
    expect(mode & 0o777).toBe(0o600);
    expect(await readdir(nested)).toEqual(['identity.key']);
  });

  test('is never replaced', async () => {
    await createIdentityKey(directory, 'camera-00042');
    const first = await readFile(join(directory, 'identity.key'), 'utf8');
    await createIdentityKey(directory, 'camera-00042');
    expect(await readFile(join(directory, 'identity.key'), 'utf8')).toBe(first);
    await writeFile(join(directory, 'identity.key'), 'damaged');
    await expect(createIdentityKey(directory, 'camera-00042')).rejects.toMatchObject({ code: 'identity-unreadable' });
    expect(await readFile(join(directory, 'identity.key'), 'utf8')).toBe('damaged');
  });

  test('is not made for an id that is no device id', async () => {
    await expect(createIdentityKey(directory, '../../etc')).rejects.toMatchObject({ code: 'appliance-id-invalid' });
    expect(await readdir(directory)).toEqual([]);
  });
});

async function fill(deviceId = 'camera-00042') {
  const root = await issue({ commonName: 'broker root', isAuthority: true });
  const deviceRoot = await issue({ commonName: 'device root', isAuthority: true });
  const leaf = await issue({ commonName: deviceId }, deviceRoot);
  await writeFile(join(directory, 'identity.key'), leaf.keyPem, { mode: 0o600 });
  await writeFile(join(directory, 'identity.crt'), leaf.certificatePem);
  await writeFile(join(directory, 'broker-root.crt'), root.certificatePem);
  return { leaf, root };
}
