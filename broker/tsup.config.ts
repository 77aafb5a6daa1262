/** Builds the package. The threads are entries of their own, named as their sources are: `broker.ts` starts them so. */
import { defineConfig } from 'tsup';

export default defineConfig({
  clean: true,
  entry: {
    index: 'src/index.ts',
    virtual: 'src/virtual-broker.ts',
    main: 'src/main.ts',
    'store/thread': 'src/store/thread.ts',
    'dns/thread': 'src/dns/thread.ts',
  },
  format: 'esm',
  target: 'node24',
  platform: 'node',
  // Otherwise tsup drops `node:`, and `node:sqlite` has no other name.
  removeNodeProtocol: false,
  dts: { entry: { index: 'src/index.ts', virtual: 'src/virtual-broker.ts' } },
});
