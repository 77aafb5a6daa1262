/** Lanyard against other people's programs; `.ci/run` installs them. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  ssr: { resolve: { conditions: ['lanyard-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/peers/**/*.test.ts'],
    // Each file runs a CA, a broker and a dozen programs: side by side they would only wait for each other.
    fileParallelism: false,
    // Certbot alone takes ten seconds to load on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'threads',
  },
});
