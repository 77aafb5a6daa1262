import { expect, test } from 'vitest';
import { demandOpenFiles, openFilesLimit } from './open-files.ts';

test('a limit that is too low is named with what is needed and how to raise it', () => {
  expect(() => demandOpenFiles('the broker', 15_000, 4096)).toThrow(
    /the broker needs 15200 open files.*may have 4096.*ulimit -n 15200/s,
  );
});

test('a limit that suffices stops nobody, and neither does one that is not there', () => {
  expect(() => demandOpenFiles('the broker', 800, 1000)).not.toThrow();
  expect(() => demandOpenFiles('the broker', 1_000_000, Infinity)).not.toThrow();
});

test.skipIf(process.platform === 'win32')('this process has one that it was started with', () => {
  expect(openFilesLimit()).toBeGreaterThan(0);
});
