/** Reads files that another program wrote: small ones, and says in plain words why it cannot. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { LanyardError } from '@lanyard/sdk/kernel';
import { isObject } from '../problems.ts';

/** An RSA key of 8192 bits is 6 kB in PEM or JWK, an account document 2 kB. */
const MOST_BYTES = 64 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a directory',
  ELOOP: 'is a link that leads nowhere',
};

/** @throws LanyardError `account-unusable`. */
export async function readAccountFile(path: string): Promise<string> {
  // A pipe would keep us waiting for whoever writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw unusable(`${path} ${REASONS[codeOf(cause)] ?? 'cannot be opened'}`, cause);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw unusable(`${path} is no file`);
    if (stat.size > MOST_BYTES) throw unusable(`${path} is too long for an account`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** @throws LanyardError `account-unusable`, without a cause: a parser's message quotes the text, which may be a key. */
export function parseAccountFile(text: string, path: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw unusable(`${path} is not JSON`);
  }
  if (!isObject(document)) throw unusable(`${path} is not a JSON object`);
  return document;
}

/** Whether it is there, readable or not. */
export async function isAbsent(path: string): Promise<boolean> {
  try {
    await (await open(path, constants.O_RDONLY | constants.O_NONBLOCK)).close();
    return false;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unusable(message: string, cause?: unknown): LanyardError {
  return new LanyardError('account-unusable', { message, ...(cause === undefined ? {} : { cause }) });
}
