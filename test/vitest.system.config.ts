/** Real processes, real sockets, built packages: slow, so one after the other and on request only. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  ssr: { resolve: { conditions: ['lanyard-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/system/**/*.test.ts'],
    // A test here starts a town, kills brokers or installs packages: minutes on a loaded machine.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    pool: 'forks',
  },
});
