/** Builds the package. */
import { defineConfig } from 'tsup';

export default defineConfig({
  clean: true,
  // Threads and processes of a run are entries of their own; gears/virtual/shards.ts and gears/wall/crowd-process.ts start
  // them from beside themselves, and what is bundled stands at the top.
  entry: {
    index: 'src/index.ts',
    main: 'src/main.ts',
    'shard-worker': 'src/gears/virtual/shard-worker.ts',
    'crowd-worker': 'src/gears/wall/crowd-worker.ts',
  },
  format: 'esm',
  target: 'node24',
  platform: 'node',
  // Otherwise tsup drops `node:`, and a package of the same name could be found instead.
  removeNodeProtocol: false,
  dts: { entry: { index: 'src/index.ts' } },
});
