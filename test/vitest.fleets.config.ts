/** Scenarios with as many appliances as a vendor has: 10,000, or as many as `LANYARD_FLEET` says. */
import { defineConfig } from 'vitest/config';
import { TIMEOUT_MS } from './fleets/sizes.ts';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/fleets/**/*.test.ts'],
    testTimeout: TIMEOUT_MS,
    // Each run takes both cores by itself where its CA lets a fleet be divided.
    fileParallelism: false,
    maxConcurrency: 1,
    pool: 'forks',
  },
});
