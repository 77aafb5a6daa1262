/** Which part may import which, types included, and why. `npm run layers` checks it; docs/architecture.md draws it. */

/** Unit tests stand beside their code and may borrow from everywhere; so may the doubles that only they use. */
const TESTS = String.raw`\.test\.ts$|/test-[^/]+\.ts$|^broker/src/pki/testing/|-double\.ts$|/example-[^/]+\.ts$`;

/** What reaches the world outside: each talks to one kind of it. */
const ADAPTERS = 'acme|acme-dns|dns|dns-providers|http-challenges|mqtt|admin|store|pki|doctor|cli';
const DOMAIN = 'fleet|certificates';

/** What a stranger's package is wrapped in, so that it can be replaced there and guarded there. */
const HOMES = {
  'acme-client': 'broker/src/acme/',
  undici: 'broker/src/(acme|cli)/',
  aedes: 'broker/src/mqtt/',
  'mqtt-packet': '(broker/src/mqtt/|simulator/src/gears/wall/)',
  tldts: 'broker/src/registered-domain\\.ts$',
  'node:sqlite': 'broker/src/store/',
  hono: '(broker/src/(admin|acme-dns)|simulator/src/report)/',
  '@hono/node-server': '(broker/src/(admin|acme-dns)|simulator/src/report)/',
  uplot: 'simulator/src/report/html/',
  'prom-client': 'simulator/src/report/',
  'log-update': 'simulator/src/report/',
  yaml: '(broker/src/config\\.ts$|broker/src/cli/|simulator/src/(scenarios/catalogue|gears/wall/wall-vendor)\\.ts$)',
  commander: '(broker/src/cli/|simulator/src/command\\.ts$)',
  mqtt: 'sdk/src/link/',
  'dns-packet': '(broker/src/doctor/|simulator/src/world/)',
};

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Files that import each other, even for types, can only be understood and changed together.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-missing',
      comment: 'An import that resolves to nothing fails at run time, and hides from all other rules.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'packages-declared',
      comment: 'What is shipped may use only what its own package.json installs; another package’s may not be there.',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    {
      name: 'tests-stay-outside',
      comment: 'Tests know the product; the product does not know its tests, or they would be shipped.',
      severity: 'error',
      from: { path: '^(sdk|broker|simulator)/src/', pathNot: TESTS },
      to: { path: `^test/|${TESTS}|^node_modules/(vitest|fast-check)/` },
    },
    {
      name: 'time-and-dice',
      comment: 'Only the kernel touches time and timers: on its clock, years pass in a test within seconds.',
      severity: 'error',
      from: { path: '^(sdk|broker|simulator)/src/', pathNot: `^sdk/src/kernel/|${TESTS}` },
      to: { path: '^(node:)?(timers|timers/promises|perf_hooks)$' },
    },

    // The ground, and the SDK upon it.
    {
      name: 'protocol-imports-nothing',
      comment: 'What crosses the wire is read by every side, so that it may depend on none.',
      severity: 'error',
      from: { path: '^sdk/src/protocol/', pathNot: TESTS },
      to: { pathNot: '^sdk/src/protocol/' },
    },
    {
      name: 'kernel-imports-nothing',
      comment: 'Everything stands on the kernel. It takes nothing but the system’s dice.',
      severity: 'error',
      from: { path: '^sdk/src/kernel/', pathNot: TESTS },
      to: { pathNot: '^sdk/src/kernel/|^(node:)?crypto$' },
    },
    {
      name: 'sdk-stands-alone',
      comment: 'Firmware installs the SDK and nothing else of Lanyard.',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { path: '^(broker|simulator)/' },
    },
    {
      name: 'sdk-wired-in-one-place',
      comment:
        'Only the root of the SDK puts its folders together; a folder that imports upwards cannot be used alone.',
      severity: 'error',
      from: { path: '^sdk/src/[^/]+/', pathNot: TESTS },
      to: { path: String.raw`^sdk/src/[^/]+\.ts$` },
    },
    {
      name: 'sdk-doubles-are-for-tests',
      comment: 'Virtual clocks and memory vaults are shipped under an entry of their own, never inside the product.',
      severity: 'error',
      from: { path: '^(sdk|broker)/src/', pathNot: `^sdk/src/testing/|${TESTS}` },
      to: { path: '^sdk/src/testing/' },
    },

    // The broker.
    {
      name: 'broker-takes-ground-only',
      comment: 'Of the SDK the broker shares the wire format and the kernel; the rest is the appliance’s side.',
      severity: 'error',
      from: { path: '^broker/src/' },
      to: { path: '^sdk/', pathNot: String.raw`^sdk/src/(kernel|protocol|testing)/index\.ts$` },
    },
    {
      name: 'broker-knows-no-simulator',
      comment: 'What is deployed may not depend on what tests it.',
      severity: 'error',
      from: { path: '^broker/' },
      to: { path: '^simulator/' },
    },
    {
      name: 'domain-is-pure',
      comment: 'The domain decides and its ports act: it touches no package, no socket, no file, and no adapter.',
      severity: 'error',
      from: { path: `^broker/src/(${DOMAIN})/`, pathNot: TESTS },
      to: { pathNot: `^broker/src/(${DOMAIN})/|^sdk/src/(kernel|protocol)/` },
    },
    {
      name: 'domains-apart',
      comment: 'Whose name it is and how it is certified are two questions; conversation.ts and registry.ts ask both.',
      severity: 'error',
      from: { path: `^broker/src/(${DOMAIN})/`, pathNot: TESTS },
      to: { path: `^broker/src/(${DOMAIN})/`, pathNot: '^broker/src/$1/' },
    },
    {
      name: 'plan-is-pure',
      comment: 'Arithmetic on the CA’s terms, by the same data as the budget; who runs it hands in the date.',
      severity: 'error',
      from: { path: '^broker/src/plan/', pathNot: TESTS },
      to: { pathNot: String.raw`^broker/src/(plan/|certificates/budget/(presets|rate-limit)\.ts$)|^sdk/src/kernel/` },
    },
    {
      name: 'tsig-is-pure',
      comment: 'Signatures on DNS messages are bytes in, bytes out: ground for whoever speaks DNS.',
      severity: 'error',
      from: { path: '^broker/src/tsig/', pathNot: TESTS },
      to: { pathNot: '^broker/src/tsig/|^sdk/src/kernel/|^(node:)?crypto$' },
    },
    {
      name: 'adapters-apart',
      comment: 'Adapters meet in the domain through a port, or in broker.ts: each can be replaced without the others.',
      severity: 'error',
      from: { path: `^broker/src/(${ADAPTERS})/`, pathNot: TESTS },
      to: { path: `^broker/src/(${ADAPTERS})/`, pathNot: '^broker/src/$1/' },
    },
    {
      name: 'folders-do-not-look-up',
      comment:
        'The wiring knows the folders and not the other way round. The command line alone reads settings and keys.',
      severity: 'error',
      from: { path: String.raw`^broker/src/(?!cli/)[^/]+/`, pathNot: TESTS },
      to: { path: String.raw`^broker/src/[^/]+\.ts$` },
    },
    {
      name: 'cli-looks-up-for-settings-only',
      comment: 'It is a client of the admin API like any other; what `serve` starts is handed to it by main.ts.',
      severity: 'error',
      from: { path: '^broker/src/cli/', pathNot: TESTS },
      to: { path: String.raw`^broker/src/[^/]+\.ts$`, pathNot: String.raw`^broker/src/(config|data-directory)\.ts$` },
    },
    {
      name: 'one-wiring',
      comment:
        'Only broker.ts with authorities.ts, dns-parts.ts and acme-dns-parts.ts, virtual-broker.ts, accounts.ts and examination.ts construct adapters. The others at the root know them by type.',
      severity: 'error',
      from: {
        path: String.raw`^broker/src/[^/]+\.ts$`,
        pathNot: String.raw`^broker/src/(broker|virtual-broker|authorities|dns-parts|accounts|acme-dns-parts|examination|main|index)\.ts$|${TESTS}`,
      },
      to: { path: `^broker/src/(${ADAPTERS})/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'process-and-face-are-thin',
      comment:
        'main.ts runs the command line and hands it what makes a CA; index.ts publishes. Neither wires anything.',
      severity: 'error',
      from: { path: String.raw`^broker/src/(main|index)\.ts$` },
      to: {
        path: `^broker/src/(${ADAPTERS}|${DOMAIN})/`,
        pathNot: String.raw`^broker/src/(cli/|pki/private-ca\.ts$)`,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'environment-in-one-place',
      comment: 'Only main.ts and serve.ts touch the process: everything else can run twice in one.',
      severity: 'error',
      from: { path: '^(sdk|broker)/src/', pathNot: String.raw`^broker/src/(main|serve)\.ts$|${TESTS}` },
      to: { path: '^(node:)?process$' },
    },

    // The simulator.
    {
      name: 'simulator-uses-public-entries',
      comment: 'It measures what is shipped, so that it may use only what is published.',
      severity: 'error',
      from: { path: '^simulator/src/' },
      to: {
        path: '^(sdk|broker)/',
        pathNot: String.raw`^sdk/src/(index|(kernel|protocol|testing)/index)\.ts$|^broker/src/(index|virtual-broker|main)\.ts$`,
      },
    },
    {
      name: 'world-knows-no-fleet',
      comment: 'The pretend world stands by itself: scenarios use the fleet, the fleet lives in the world.',
      severity: 'error',
      from: { path: '^simulator/src/world/', pathNot: TESTS },
      to: { path: '^simulator/src/', pathNot: '^simulator/src/world/' },
    },
    {
      name: 'fleet-knows-no-scenario',
      comment: 'A virtual appliance does the same in every scenario.',
      severity: 'error',
      from: { path: '^simulator/src/fleet/', pathNot: TESTS },
      to: { path: '^simulator/src/', pathNot: '^simulator/src/(fleet|world)/' },
    },
    {
      name: 'report-knows-no-world',
      comment: 'What happened is told from measurements, the same ones that a machine reads.',
      severity: 'error',
      from: { path: '^simulator/src/report/', pathNot: TESTS },
      to: { path: '^simulator/src/', pathNot: '^simulator/src/report/' },
    },
    ...Object.entries(HOMES).map(([stranger, home]) => ({
      name: `${stranger.replace('@', '').replaceAll(/[:/]/g, '-')}-has-one-home`,
      comment: `${stranger} is wrapped in ${home}: guarded there, and replaceable there.`,
      severity: 'error',
      from: { path: '^(sdk|broker|simulator)/src/', pathNot: `^${home}|${TESTS}` },
      to: { path: stranger.startsWith('node:') ? `^(node:)?${stranger.slice(5)}$` : `node_modules/${stranger}/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Types couple as hard as values do; without this they are gone before anybody looks.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // The first resolves the packages of this workspace to their sources, so that nothing need be built.
      conditionNames: ['lanyard-source', 'node', 'import', 'require', 'types', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
