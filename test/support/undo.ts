/** What a test file sets up before its tests is undone after them, the last first. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

type Undo = () => unknown;

/** Call it once, at the top of a `describe`; then hand it what is to be undone. */
export function undoAfterAll(): (undo: Undo) => void {
  const steps: Undo[] = [];
  afterAll(async () => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) await step();
  });
  return (step) => steps.push(step);
}

/** A directory of the test's own. */
export async function temporaryDirectory(undo: (step: Undo) => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-peers-'));
  undo(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
