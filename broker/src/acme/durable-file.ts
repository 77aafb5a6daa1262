/** Files that hold a secret and are there after a power cut. */
import { open } from 'node:fs/promises';

/** Writes a file that must not exist yet, for its owner alone. Its name is durable only once its folder is synced. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
