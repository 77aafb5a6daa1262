/** Other people's name servers as secondaries, by the configuration that the guide shows, in a directory of their own. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { peer } from './peers.ts';
import { Program } from './program.ts';

export interface SecondarySetting {
  readonly directory: string;
  /** In base64. */
  readonly secret: string;
  readonly primaryPort: number;
  readonly port: number;
}

export interface Kind {
  readonly program: string;
  /** Its heading in the guide. */
  readonly heading: string;
  /** What the guide leaves to the system, which a test has to do without; and that the test may transfer. */
  readonly adapt: (config: string, directory: string) => string;
  readonly args: (configFile: string, directory: string) => readonly string[];
}

export const KINDS: readonly Kind[] = [
  {
    program: 'knotd',
    heading: 'Knot DNS',
    adapt: (config, directory) =>
      config
        .replace('server:\n', `server:\n  rundir: ${directory}\n`)
        .replace('action: notify', 'action: [notify, transfer]')
        .concat(`\ndatabase:\n  storage: ${directory}\ntemplate:\n  - id: default\n    storage: ${directory}\n`)
        // A template must be known before the zones that use it.
        .replace(/(zone:\n[^]*?)(\ndatabase:[^]*)/, '$2\n$1'),
    args: (configFile) => ['-c', configFile],
  },
  {
    program: 'nsd',
    heading: 'NSD',
    adapt: (config, directory) =>
      config
        .replace('server:\n', `server:\n${nsdPaths(directory)}`)
        .concat('    provide-xfr: 127.0.0.1 lanyard-ns1\n\nremote-control:\n    control-enable: no\n'),
    args: (configFile) => ['-d', '-c', configFile],
  },
  {
    program: 'named',
    heading: 'BIND',
    adapt: (config, directory) =>
      config
        .replace('/var/cache/bind', directory)
        .replace(
          'options {\n',
          `options {\n    pid-file "${directory}/pid";\n    session-keyfile "${directory}/session";\n`,
        )
        .replace('allow-transfer { none; }', 'allow-transfer { key lanyard-ns1; }')
        .concat('\ncontrols { };\n'),
    args: (configFile) => ['-g', '-c', configFile],
  },
];

export class SecondaryServer {
  readonly kind: Kind;
  readonly #setting: SecondarySetting;
  #running: Program | undefined;

  constructor(kind: Kind, setting: SecondarySetting) {
    this.kind = kind;
    this.#setting = setting;
  }

  get port(): number {
    return this.#setting.port;
  }

  async start(): Promise<void> {
    const { directory, secret, primaryPort, port } = this.#setting;
    const own = join(directory, this.kind.program);
    await mkdir(own, { recursive: true });
    const config = (await configOf(this.kind.heading))
      .replace('REPLACE-WITH-THE-SECRET', secret)
      .replaceAll('192.0.2.10 port 53', `127.0.0.1 port ${primaryPort}`)
      .replaceAll('192.0.2.10@53', `127.0.0.1@${primaryPort}`)
      .replaceAll('192.0.2.10', '127.0.0.1')
      .replaceAll('0.0.0.0@53', `127.0.0.1@${port}`)
      .replaceAll('listen-on port 53 { any; }', `listen-on port ${port} { 127.0.0.1; }`);
    const file = join(own, 'config');
    await writeFile(file, this.kind.adapt(config, own));
    this.#running = new Program({ command: peer(this.kind.program), args: this.kind.args(file, own), directory: own });
  }

  async stop(): Promise<void> {
    this.#running?.signalAll('SIGTERM');
    await this.#running?.ended;
  }

  async files(): Promise<readonly string[]> {
    return await readdir(join(this.#setting.directory, this.kind.program));
  }

  said(): string {
    return this.#running?.said() ?? '';
  }
}

/** A port that was free a moment ago, for a program that has to be told one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what listens on a host and port has an AddressInfo
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function configOf(heading: string): Promise<string> {
  const guide = await readFile(new URL('../../docs/guides/scale-dns.md', import.meta.url), 'utf8');
  const section = guide.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  const config = /```\w*\n([^]*?)```/.exec(section ?? '')?.[1];
  if (config === undefined) throw new Error(`the guide shows no configuration of ${heading}`);
  return config;
}

function nsdPaths(directory: string): string {
  return [
    'username: ""',
    'server-count: 1',
    'database: ""',
    `zonesdir: ${directory}`,
    `pidfile: ${directory}/pid`,
    `xfrdfile: ${directory}/xfrd.state`,
    `xfrdir: ${directory}`,
    `zonelistfile: ${directory}/zone.list`,
  ]
    .map((line) => `    ${line}\n`)
    .join('');
}
