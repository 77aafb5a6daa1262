/** Replaces a file whole: after a power cut at any instant either the old or the new bytes are there. */
import { join } from 'node:path';
import type { Disk } from './disk.ts';

/** What a file is called while it is written; a crash leaves it behind. */
export const UNFINISHED_SUFFIX = '.tmp';

/** When it resolves the bytes are on the medium; when it throws before the rename the old ones still are. */
export async function replaceDurably(disk: Disk, directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const unfinished = join(directory, name + UNFINISHED_SUFFIX);
  try {
    await disk.writeSynced(unfinished, bytes);
    // The bytes must be on the medium first: ext4 and f2fs may order a rename before the data of the renamed file.
    await disk.rename(unfinished, join(directory, name));
  } catch (error) {
    // Gives the space back on a full disk. That the removal fails too adds nothing to the first error.
    await disk.remove(unfinished).catch(() => {});
    throw error;
  }
  await disk.syncDirectory(directory);
}
