/** The real broker in its own process, as an operator would run it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LanyardError, deadline } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';

export interface BrokerProcessParts {
  /** Where settings, database and log are. */
  readonly directory: string;
  readonly clock: Clock;
  /** For Node, in front of the program: a module that is loaded first. None when left out. */
  readonly nodeOptions?: readonly string[];
}

/** A machine under load still starts a Node process and opens a database in this time. */
const START_MS = 30_000;
/** The broker itself gives its parts less. */
const STOP_MS = 15_000;

export class BrokerProcess {
  readonly #parts: BrokerProcessParts;
  #child: ChildProcess | undefined;
  #isRetired = false;

  constructor(parts: BrokerProcessParts) {
    this.#parts = parts;
  }

  /** Of the one that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get settingsPath(): string {
    return join(this.#parts.directory, 'lanyard.yaml');
  }

  get logPath(): string {
    return join(this.#parts.directory, 'broker.log');
  }

  /** `lanyard init` with the given options. */
  async init(options: readonly string[]): Promise<void> {
    const child = this.#run(['--config', this.settingsPath, 'init', ...options]);
    const said = collect(child);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new LanyardError('internal', { message: `lanyard init failed: ${said()}` });
  }

  /** `lanyard serve`; resolves when it says that it is ready. */
  async start(): Promise<void> {
    if (this.#isRetired) throw new LanyardError('stopped');
    const child = this.#run(['--config', this.settingsPath, 'serve']);
    this.#child = child;
    // One that could not be spawned shows as an output that ends.
    child.on('error', () => {});
    child.stderr?.pipe(createWriteStream(this.logPath, { flags: 'a', mode: 0o600 }));
    using limit = deadline(this.#parts.clock, START_MS);
    if (await Promise.race([saysReady(child), aborted(limit.signal)])) return;
    throw new LanyardError('internal', { message: `the broker ended while starting; its log is ${this.logPath}` });
  }

  /** Orderly, as a service manager does it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Stops it for good: a scenario that was interrupted between its death and its restart cannot bring it back. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.stop();
  }

  /** Resolves when it has ended by itself, or by somebody else's hand; at once when none runs. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, 'exit');
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    // Whoever was killed has a signal instead of a code, and its `exit` never comes again.
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = this.#parts.clock.setTimer(STOP_MS, () => child.kill('SIGKILL'));
    await exited;
    timer.cancel();
  }

  #run(args: readonly string[]): ChildProcess {
    const command = fileURLToPath(import.meta.resolve('@lanyard/broker/command'));
    const conditions = command.endsWith('.ts') ? ['--conditions=lanyard-source'] : [];
    // The second start finds its code compiled: a restart in the middle of a story should not take long.
    const env = { ...process.env, NODE_COMPILE_CACHE: join(this.#parts.directory, 'compiled') };
    const options = [...conditions, ...(this.#parts.nodeOptions ?? [])];
    return spawn(process.execPath, [...options, command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

/** False when it ended before. */
async function saysReady(child: ChildProcess): Promise<boolean> {
  if (child.stdout === null) return false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('ready')) continue;
    child.stdout.resume();
    return true;
  }
  return false;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new LanyardError('internal', { message: `the broker was not ready within ${START_MS} ms` }));
    });
  });
}

function collect(child: ChildProcess): () => string {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return () => chunks.join('').trim();
}
