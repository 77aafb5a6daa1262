/** Every shipped scenario through the real command line, at a size that a build can wait for. */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/scenarios/**/*.test.ts'],
    // The longest takes half a minute on a machine that does nothing else.
    testTimeout: 300_000,
    // The work is done in child processes, one for each test.
    fileParallelism: false,
    maxConcurrency: Math.min(availableParallelism(), 4),
    pool: 'forks',
  },
});
