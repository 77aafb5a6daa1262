/** The account in one file that only its owner may read, replaced atomically. */
import { createPrivateKey } from 'node:crypto';
import { open, mkdir, readFile, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { AccountRecord, AccountStore } from './account.ts';
import { parseCaUrl } from './ca-url.ts';
import { writeDurably } from './durable-file.ts';
import { isObject } from './problems.ts';

/** A key of 4096 bits and two URLs are 6 kB. */
const MOST_BYTES = 64 * 1024;
/** Permission bits of group and others. */
const OTHERS = 0o077;

export class FileAccountStore implements AccountStore {
  readonly #path: string;

  constructor({ path }: { readonly path: string }) {
    this.#path = path;
  }

  /** @throws LanyardError `config-unreadable` also when others may read the file: the key may be stolen already. */
  async read(): Promise<AccountRecord | undefined> {
    let file: FileHandle;
    try {
      file = await open(this.#path, 'r');
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw this.#unreadable('cannot be opened', cause);
    }
    try {
      const { mode, size } = await file.stat();
      if ((mode & OTHERS) !== 0) throw this.#unreadable('is readable by others: chmod 600 it');
      if (size > MOST_BYTES) throw this.#unreadable('is too long to be an account');
      return this.#parse(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  }

  async write(record: AccountRecord): Promise<void> {
    const draft = `${this.#path}.new`;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      // A crash may have left one; opened anew, it has our permissions from the first byte.
      await rm(draft, { force: true });
      await writeDurably(draft, `${JSON.stringify(record, undefined, 2)}\n`);
      await rename(draft, this.#path);
      await syncFolder(dirname(this.#path));
    } catch (cause) {
      throw new LanyardError('config-unreadable', { message: `${this.#path} cannot be written`, cause });
    }
  }

  /**
   * Keeps what is stored under another name beside it, so that it may be replaced.
   * @returns where.
   */
  async copyAside(suffix: string): Promise<string> {
    const copy = `${this.#path}.${suffix}`;
    try {
      await writeDurably(copy, await readFile(this.#path, 'utf8'));
      await syncFolder(dirname(copy));
    } catch (cause) {
      throw new LanyardError('config-unreadable', { message: `${copy} cannot be written`, cause });
    }
    return copy;
  }

  async remove(): Promise<void> {
    try {
      await rm(this.#path);
      await syncFolder(dirname(this.#path));
    } catch (cause) {
      throw new LanyardError('config-unreadable', { message: `${this.#path} cannot be removed`, cause });
    }
  }

  #parse(text: string): AccountRecord {
    const document = parseJson(text);
    if (!isObject(document)) throw this.#unreadable('is not JSON');
    const { directoryUrl, keyPem, url, nextKeyPem } = document;
    if (typeof directoryUrl !== 'string' || !isPrivateKey(keyPem)) throw this.#unreadable('holds no account key');
    if (nextKeyPem !== undefined && !isPrivateKey(nextKeyPem)) throw this.#unreadable('holds no next key');
    const record = { directoryUrl, keyPem, ...(nextKeyPem === undefined ? {} : { nextKeyPem }) };
    if (url === undefined) return record;
    const accountUrl = parseCaUrl(url);
    if (accountUrl === undefined) throw this.#unreadable('holds no account URL');
    return { ...record, url: accountUrl };
  }

  #unreadable(fault: string, cause?: unknown): LanyardError {
    return new LanyardError('config-unreadable', { message: `the account file ${this.#path} ${fault}`, cause });
  }
}

/** The rename itself lives in the folder: without this a power cut may bring the old file back. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** RFC 8555 §6.2: ES256 and RS256 are what CAs accept from accounts; imported accounts are often RSA. */
function isPrivateKey(pem: unknown): pem is string {
  if (typeof pem !== 'string') return false;
  try {
    return ['ec', 'rsa'].includes(createPrivateKey(pem).asymmetricKeyType ?? '');
  } catch {
    return false;
  }
}

/** The cause is left out: a parser's message quotes the text, and with it the key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
