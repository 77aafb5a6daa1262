/** A terminal in a directory of its own, and a pretend admin API. Only for tests. */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { afterEach, beforeEach } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig } from '../config.ts';
import { runCommand } from './command.ts';
import type { CommandContext } from './context.ts';

export interface Transcript {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly body: string;
}

/** What the pretend admin API answers: objects as JSON, text as it is. */
export type Answer = (heard: Heard) => readonly [status: number, body: unknown];

/** A new one for each test of the file. */
export function useTerminal(): Terminal {
  const terminal = new Terminal();
  beforeEach(() => terminal.open());
  afterEach(() => terminal.close());
  return terminal;
}

export class Terminal {
  directory = '';
  readonly #servers: Server[] = [];

  get config(): string {
    return join(this.directory, 'lanyard.yaml');
  }

  async open(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), 'lanyard-cli-'));
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) server.close().closeAllConnections();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** One command line. */
  async run(args: readonly string[], changes: Partial<CommandContext> = {}): Promise<Transcript> {
    let out = '';
    let err = '';
    const context: CommandContext = {
      version: '0.1.0',
      clock: new VirtualClock(),
      random: seededRandom(1),
      print: (text) => (out += text),
      printError: (text) => (err += text),
      input: async function* () {},
      serve: (path) => loadConfig(path).then(() => undefined),
      createPrivateCa: async (name) => ({ certificatePem: `certificate of ${name}\n`, keyPem: 'key\n' }),
      withAccountDesk: async () => {
        throw new Error('no account in this test');
      },
      examine: async () => {
        throw new Error('no doctor in this test');
      },
      ...changes,
    };
    const code = await runCommand(['--config', this.config, ...args], context);
    return { code, out, err };
  }

  /** Every file of the directory with its text. */
  async everyFile(): Promise<Readonly<Record<string, string>>> {
    const entries = await readdir(this.directory, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const contents = await Promise.all(
      paths.map(async (path) => [path.slice(this.directory.length + 1), await readFile(path, 'utf8')]),
    );
    return Object.fromEntries(contents);
  }

  /** A pretend admin API, and the settings that lead to it. */
  async pretendBroker(answer: Answer): Promise<readonly Heard[]> {
    const heard: Heard[] = [];
    const server = createServer((request, response) => void reply(request, response, heard, answer));
    this.#servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    await this.settingsFor(typeof address === 'object' && address !== null ? address.port : 0);
    return heard;
  }

  async settingsFor(port: number): Promise<void> {
    const settings = {
      zone: { apex: 'devices.example.com', nameServers: [{ name: 'ns1.example.com' }] },
      mqtt: { names: ['broker.example.com'] },
      acme: { directory: 'https://ca.test/directory' },
      admin: { port },
    };
    await writeFile(this.config, stringify(settings));
    await mkdir(join(this.directory, 'data'));
    await writeFile(join(this.directory, 'data', 'admin.token'), 'secret-token\n', { mode: 0o600 });
  }
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  heard: Heard[],
  answer: Answer,
): Promise<void> {
  const chunks: Buffer[] = await request.toArray();
  const { method, url, headers } = request;
  const said = { method, url, token: headers.authorization, body: Buffer.concat(chunks).toString() };
  heard.push(said);
  const [status, body] = answer(said);
  response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
}
