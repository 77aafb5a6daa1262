/** The few file operations that durable storage is built from: a seam, so that tests can cut the power between any two. */
import { chmod, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

export interface Disk {
  /** Makes the directory if there is none, and keeps others out of it. */
  makeDirectory(path: string): Promise<void>;
  /** Names in the directory; none when there is no directory. */
  list(path: string): Promise<readonly string[]>;
  /** The file's bytes, at most `maxBytes` + 1 of them; undefined when there is no file. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Makes or empties the file, writes it for its owner only, and resolves when its bytes are on the medium. */
  writeSynced(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes the file; harmless when there is none. */
  remove(path: string): Promise<void>;
  /** Resolves when renames and removals in the directory are on the medium. */
  syncDirectory(path: string): Promise<void>;
}

const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY_FILE = 0o600;
const GROUP_AND_OTHERS = 0o077;

export const nodeDisk: Disk = {
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    const { mode } = await stat(path);
    if ((mode & GROUP_AND_OTHERS) !== 0) await chmod(path, OWNER_ONLY_DIRECTORY);
  },
  async list(path) {
    return (await orUndefined(readdir(path))) ?? [];
  },
  async read(path, maxBytes) {
    const file = await orUndefined(open(path, 'r'));
    if (file === undefined) return undefined;
    return closing(file, () => readUpTo(file, maxBytes + 1));
  },
  async writeSynced(path, bytes) {
    const file = await open(path, 'w', OWNER_ONLY_FILE);
    await closing(file, async () => {
      // The mode above only holds for new files, and the process' umask may have removed bits from it.
      await file.chmod(OWNER_ONLY_FILE);
      await file.writeFile(bytes);
      await file.sync();
    });
  },
  rename,
  async remove(path) {
    await orUndefined(unlink(path));
  },
  async syncDirectory(path) {
    const directory = await open(path, 'r');
    await closing(directory, () => directory.sync());
  },
};

/** The `code` of an error of the operating system, such as `ENOSPC`. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

async function readUpTo(file: FileHandle, maxBytes: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(Math.min(maxBytes, (await file.stat()).size));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return new Uint8Array(buffer.subarray(0, filled));
}

async function closing<T>(file: FileHandle, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await file.close();
  }
}

async function orUndefined<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
