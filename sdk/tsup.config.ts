/** Builds the package: its entries, and one file with everything in it for firmware without npm. */
import { defineConfig } from 'tsup';

/** Ways of MQTT.js into the network that the SDK never takes: it hands in a TLS connection of its own. */
const unused = /node_modules[\\/](ws|socks|worker-timers)[\\/]/;

export default defineConfig([
  {
    // The other build runs beside this one.
    clean: ['!bundle.js'],
    entry: {
      index: 'src/index.ts',
      protocol: 'src/protocol/index.ts',
      kernel: 'src/kernel/index.ts',
      testing: 'src/testing/index.ts',
    },
    format: 'esm',
    target: 'node20',
    platform: 'node',
    // Otherwise tsup drops `node:`, and a package of the same name could be found instead.
    removeNodeProtocol: false,
    dts: true,
  },
  {
    entry: { bundle: 'src/index.ts' },
    format: 'esm',
    target: 'node20',
    platform: 'node',
    removeNodeProtocol: false,
    noExternal: [/.*/],
    splitting: false,
    minify: true,
    // Parts of MQTT.js are CommonJS and ask for Node's own modules by require.
    banner: {
      js: "import{createRequire as lanyardRequire}from'node:module';const require=lanyardRequire(import.meta.url);",
    },
    esbuildPlugins: [
      {
        name: 'leave-out-unused-transports',
        setup: (build) => build.onLoad({ filter: unused }, () => ({ contents: 'module.exports={}', loader: 'js' })),
      },
    ],
    // The npm copy of Node's own streams, for browsers.
    esbuildOptions: (options) => {
      options.alias = { 'readable-stream': 'node:stream' };
    },
  },
]);
