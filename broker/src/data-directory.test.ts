import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewFile } from './data-directory.ts';
import { makeDataDirectory, readSecret, readText, writeNew } from './data-directory.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanyard-data-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

test('the data directory is open to its owner only', async () => {
  const path = join(directory, 'a', 'b');
  expect(await makeDataDirectory(path)).toBe(true);
  expect(await modeOf(path)).toBe(0o700);
  expect(await makeDataDirectory(path)).toBe(false);
});

function file(name: string, mode: 0o600 | 0o644 = 0o644): NewFile {
  return { path: join(directory, name), text: `${name}\n`, mode };
}

describe('new files', () => {
  test('are written with their mode', async () => {
    await writeNew([file('public'), file('secret', 0o600)]);
    expect(await readFile(join(directory, 'secret'), 'utf8')).toBe('secret\n');
    expect(await modeOf(join(directory, 'secret'))).toBe(0o600);
  });

  test('are written all or not at all, and what was there stays as it was', async () => {
    await writeFile(join(directory, 'second'), 'mine');
    const writing = writeNew([file('first'), file('second'), file('third')]);
    await expect(writing).rejects.toMatchObject({
      code: 'config-exists',
      message: `${directory}/second exists already`,
    });
    expect(await readdir(directory)).toEqual(['second']);
    expect(await readFile(join(directory, 'second'), 'utf8')).toBe('mine');
  });

  test('that cannot be written leave nothing behind', async () => {
    const writing = writeNew([file('first'), file('missing/second')]);
    await expect(writing).rejects.toMatchObject({ code: 'config-unreadable' });
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('a secret', () => {
  test('is read when only its owner can', async () => {
    const path = join(directory, 'secret');
    await writeNew([{ path, text: 'hunter2', mode: 0o600 }]);
    expect(await readSecret(path)).toBe('hunter2');
  });

  test.each([0o640, 0o604, 0o644, 0o660, 0o601])(
    'that others can touch (%o) is refused, with what to do',
    async (mode) => {
      const path = join(directory, 'secret');
      await writeFile(path, 'hunter2');
      await chmod(path, mode);
      await expect(readSecret(path)).rejects.toMatchObject({
        code: 'config-unreadable',
        message: `${path} can be read by others than its owner: chmod 600 ${path}`,
      });
    },
  );

  test('that is not there, or is a directory, is named', async () => {
    const path = join(directory, 'missing');
    for (const read of [readSecret, readText]) {
      await expect(read(path)).rejects.toMatchObject({
        code: 'config-unreadable',
        message: expect.stringContaining(path),
      });
    }
    await mkdir(path, { mode: 0o700 });
    await expect(readSecret(path)).rejects.toMatchObject({ code: 'config-unreadable' });
  });
});
