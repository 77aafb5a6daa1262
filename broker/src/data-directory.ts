/** What lies where in the broker's data directory, and how secrets are written to it and read from it. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';

export interface DataDirectory {
  readonly database: string;
  readonly privateCaCertificate: string;
  readonly privateCaKey: string;
  readonly adminToken: string;
  readonly dnsCookieSecrets: string;
  /** One file for each CA, so that a change of the CA and back finds its account again. */
  readonly acmeAccount: (directoryUrl: string) => string;
}

export function dataDirectory(path: string): DataDirectory {
  return {
    database: join(path, 'lanyard.sqlite'),
    privateCaCertificate: join(path, 'private-ca.crt'),
    privateCaKey: join(path, 'private-ca.key'),
    adminToken: join(path, 'admin.token'),
    dnsCookieSecrets: join(path, 'dns-cookie.secrets'),
    acmeAccount: (directoryUrl) => join(path, 'acme-accounts', `${shortHash(directoryUrl)}.json`),
  };
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Makes the directory, open to its owner only. False when it was there. */
export async function makeDataDirectory(path: string): Promise<boolean> {
  return (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
}

export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** 0600 for secrets. */
  readonly mode: 0o600 | 0o644;
}

/**
 * Writes files that must not exist yet, durably: all of them or none.
 * @throws LanyardError `config-exists` | `config-unreadable`.
 */
export async function writeNew(files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  try {
    for (const { path, text, mode } of files) {
      const file = await open(path, 'wx', mode).catch((cause: unknown) => unwritable(path, cause));
      made.push(path);
      try {
        await file.writeFile(text);
        await file.sync();
      } catch (cause) {
        unwritable(path, cause);
      } finally {
        await file.close();
      }
    }
  } catch (error) {
    await Promise.all(made.map((path) => rm(path, { force: true })));
    throw error;
  }
}

/**
 * Reads a secret, and refuses one that others can read: it would not be a secret.
 * @throws LanyardError `config-unreadable`.
 */
export async function readSecret(path: string): Promise<string> {
  const { mode } = await stat(path).catch((cause: unknown) => unreadable(path, cause));
  if ((mode & 0o077) !== 0) {
    const message = `${path} can be read by others than its owner: chmod 600 ${path}`;
    throw new LanyardError('config-unreadable', { message });
  }
  return await readText(path);
}

/** @throws LanyardError `config-unreadable`. */
export async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: unknown) => unreadable(path, cause));
}

function unwritable(path: string, cause: unknown): never {
  if (isCode(cause, 'EEXIST')) throw new LanyardError('config-exists', { cause, message: `${path} exists already` });
  throw new LanyardError('config-unreadable', { cause, message: `${path} cannot be written` });
}

function unreadable(path: string, cause: unknown): never {
  throw new LanyardError('config-unreadable', { cause, message: `${path} cannot be read; \`lanyard init\` makes it` });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
