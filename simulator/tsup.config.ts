/** Builds the package. */
import { defineConfig } from 'tsup';

export default defineConfig({
  clean: true,
  entry: { index: 'src/index.ts', main: 'src/main.ts' },
  format: 'esm',
  target: 'node24',
  platform: 'node',
  // Otherwise tsup drops `node:`, and a package of the same name could be found instead.
  removeNodeProtocol: false,
  dts: { entry: { index: 'src/index.ts' } },
});
