/** Writes an account's files into a new directory that only its owner may enter. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import { writeDurably } from '../durable-file.ts';
import type { AccountFolder } from './account-format.ts';

/**
 * @returns the path of the directory.
 * @throws LanyardError `config-exists` when it is there already | `config-unreadable` when it cannot be written.
 */
export async function writeFolder(root: string, { path, files }: AccountFolder): Promise<string> {
  const folder = join(root, path);
  await makeFolder(folder);
  try {
    for (const [name, text] of Object.entries(files)) await writeDurably(join(folder, name), text);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw new LanyardError('config-unreadable', { message: `${folder} cannot be written`, cause });
  }
  return folder;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
    await mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    throw isThere
      ? new LanyardError('config-exists', { message: `${folder} exists already`, cause })
      : new LanyardError('config-unreadable', { message: `${folder} cannot be made`, cause });
  }
}
