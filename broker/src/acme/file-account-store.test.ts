import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadAccount } from './account.ts';
import { FileAccountStore } from './file-account-store.ts';

const directoryUrl = 'https://ca.example/directory';
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lanyard-account-'));
  path = join(folder, 'ca', 'account.json');
});
afterEach(() => rm(folder, { recursive: true }));

test('an account is read back, from a file for its owner alone, and nothing else is left', async () => {
  const store = new FileAccountStore({ path });
  expect(await store.read()).toBeUndefined();
  const made = await loadAccount(store, directoryUrl);
  await store.write({ ...made, url: 'https://ca.example/account/1' });
  expect(await new FileAccountStore({ path }).read()).toEqual({ ...made, url: 'https://ca.example/account/1' });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'ca'))).toEqual(['account.json']);
});

test('the same key is found again, never a second one made', async () => {
  const first = await loadAccount(new FileAccountStore({ path }), directoryUrl);
  expect(await loadAccount(new FileAccountStore({ path }), directoryUrl)).toEqual(first);
});

test('an account of another CA is not used', async () => {
  const store = new FileAccountStore({ path });
  await loadAccount(store, directoryUrl);
  await expect(loadAccount(store, 'https://other.example/')).rejects.toMatchObject({ code: 'config-invalid' });
});

test('a draft that a crash left, readable by all, is replaced and not reused', async () => {
  const store = new FileAccountStore({ path });
  const made = await loadAccount(store, directoryUrl);
  await writeFile(`${path}.new`, 'half', { mode: 0o644 });
  await store.write(made);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await store.read()).toEqual(made);
});

test.each([0o640, 0o604, 0o660, 0o620, 0o601])('a file with mode %o is refused', async (mode) => {
  const store = new FileAccountStore({ path });
  await loadAccount(store, directoryUrl);
  await chmod(path, mode);
  await expect(store.read()).rejects.toMatchObject({ code: 'config-unreadable' });
});

test.each(['', 'not JSON', '[]', '{}', JSON.stringify({ directoryUrl, keyPem: 'no key' }), ' '.repeat(65 * 1024)])(
  'a file that holds no account is refused and left alone (%#)',
  async (text) => {
    path = join(folder, 'account.json');
    await writeFile(path, text, { mode: 0o600 });
    const store = new FileAccountStore({ path });
    await expect(loadAccount(store, directoryUrl)).rejects.toMatchObject({ code: 'config-unreadable' });
    expect(await readFile(path, 'utf8')).toBe(text);
  },
);

test('an account URL that is no https URL is refused', async () => {
  const store = new FileAccountStore({ path });
  const made = await loadAccount(store, directoryUrl);
  await writeFile(path, JSON.stringify({ ...made, url: 'http://ca.example/account/1' }));
  await expect(store.read()).rejects.toMatchObject({ code: 'config-unreadable' });
});

test('what is said about a broken file does not quote the key in it', async () => {
  const store = new FileAccountStore({ path });
  const { keyPem } = await loadAccount(store, directoryUrl);
  await writeFile(path, keyPem);
  const error: unknown = await store.read().catch((thrown: unknown) => thrown);
  if (!LanyardError.is(error)) throw new Error('expected a LanyardError');
  const said = JSON.stringify([error.message, error.details, String(error.cause), error.stack]);
  expect(said).not.toContain(keyPem.split('\n')[1]);
  expect(said).not.toContain('BEGIN PRIVATE');
});

test('a place that cannot be written to is said', async () => {
  await writeFile(join(folder, 'ca'), 'a file where the folder should be');
  await expect(loadAccount(new FileAccountStore({ path }), directoryUrl)).rejects.toMatchObject({
    code: 'config-unreadable',
  });
});
