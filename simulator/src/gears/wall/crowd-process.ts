/** The run's end of a crowd process: starts it, gives it commands, and notices when it dies. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import type { Happening } from '../../world/happening.ts';
import { fromWorker } from './crowd-messages.ts';
import type { CrowdCommand, CrowdStanding } from './crowd-messages.ts';

export interface CrowdProcessParts {
  /** Who lives in it, for messages to people. */
  readonly label: string;
  readonly clock: Clock;
  readonly onMade: (count: number) => void;
  readonly onHappenings: (happenings: readonly Happening[]) => void;
  /** It ended although nobody asked it to. */
  readonly onDeath: (error: LanyardError) => void;
}

interface Asked {
  resolve(standing: CrowdStanding): void;
  reject(error: LanyardError): void;
}

/** Ending is only leaving: appliances are not switched off one by one. */
const END_MS = 5_000;
/** Of what it said last, the end: a stack and a message. */
const LAST_WORDS = 2_000;

export class CrowdProcess {
  readonly #parts: CrowdProcessParts;
  readonly #asked = new Map<number, Asked>();
  #child: ChildProcess | undefined;
  #lastWords = '';
  #lastId = 0;
  #isEnding = false;

  constructor(parts: CrowdProcessParts) {
    this.#parts = parts;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const isSource = import.meta.url.endsWith('.ts');
    const path = fileURLToPath(new URL(isSource ? './crowd-worker.ts' : './crowd-worker.js', import.meta.url));
    const execArgv = isSource ? ['--conditions=lanyard-source'] : [];
    const child = fork(path, { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json' });
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#lastWords = `${this.#lastWords}${chunk.toString()}`.slice(-LAST_WORDS);
    });
    child.on('message', (said) => this.#hear(said));
    child.on('error', (cause) => this.#onEnd(`failed: ${cause.message}`));
    child.on('exit', (code, signal) => this.#onEnd(`ended with ${signal ?? `exit code ${code}`}`));
  }

  /** @throws LanyardError what the command failed with, or how the process ended. */
  async ask(command: CrowdCommand): Promise<CrowdStanding> {
    const id = ++this.#lastId;
    return await new Promise((resolve, reject) => {
      if (this.#child?.connected !== true) return reject(this.#death('is not running'));
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, command });
    });
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#isEnding = true;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const timer = this.#parts.clock.setTimer(END_MS, () => child.kill('SIGKILL'));
    if (child.connected) child.disconnect();
    await exited;
    timer.cancel();
  }

  #hear(given: unknown): void {
    const parsed = fromWorker.safeParse(given);
    if (!parsed.success) return this.#parts.onDeath(this.#death(`said what cannot be read: ${parsed.error.message}`));
    const said = parsed.data;
    switch (said.kind) {
      case 'done':
        this.#asked.get(said.id)?.resolve(said.standing);
        return void this.#asked.delete(said.id);
      case 'failed':
        this.#asked.get(said.id)?.reject(new LanyardError('internal', { message: said.message }));
        return void this.#asked.delete(said.id);
      case 'made':
        return this.#parts.onMade(said.count);
      case 'happened':
        return this.#parts.onHappenings(said.happenings);
    }
  }

  #onEnd(how: string): void {
    const error = this.#death(how);
    for (const asked of this.#asked.values()) asked.reject(error);
    this.#asked.clear();
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#parts.onDeath(error);
  }

  #death(how: string): LanyardError {
    const last = this.#lastWords.trim();
    const message = `the process of ${this.#parts.label} (pid ${this.pid}) ${how}${last === '' ? '' : `; it said: ${last}`}`;
    return new LanyardError('internal', { message });
  }
}
