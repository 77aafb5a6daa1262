/** Everything that needs nothing but Node and npm. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  ssr: { resolve: { conditions: ['lanyard-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['{sdk,broker,simulator}/src/**/*.test.ts', 'test/{stories,contracts,architecture}/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'threads',
  },
});
