/** Somebody's program as a child process: what it says line by line, how it ends, and that nothing of it stays. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export interface ProgramStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Program {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  readonly #lines = new EventEmitter();

  /** Starts it as the head of a process group of its own, so that its whole family can be found and ended. */
  constructor({ command, args, directory, environment = process.env }: ProgramStart) {
    const options = { cwd: directory, env: { ...environment }, detached: true };
    this.#child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#lines.setMaxListeners(0);
    this.ended = this.#end();
  }

  get #groupId(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with the first line of either stream, past ones included, that `pattern` matches. */
  async line(pattern: RegExp): Promise<string> {
    const past = [...this.stdout, ...this.stderr].find((line) => pattern.test(line));
    return past ?? (await this.next(pattern));
  }

  /** Resolves with the next line of either stream that `pattern` matches. */
  async next(pattern: RegExp): Promise<string> {
    return await new Promise((resolve, reject) => {
      this.#lines.on('line', (line: string) => {
        if (pattern.test(line)) resolve(line);
      });
      void this.ended.then(({ code }) => reject(new Error(`ended with ${code} before ${pattern}:\n${this.said()}`)));
    });
  }

  said(): string {
    return [...this.stdout, ...this.stderr].join('\n');
  }

  /** To the program alone. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** To the program and all its children, as a terminal does on Ctrl-C. */
  signalAll(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#groupId, signal);
    } catch {
      // Nobody is left to hear it.
    }
  }

  /** Command lines of those of its family that still run. */
  async survivors(): Promise<readonly string[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(pids.map((pid) => commandLineIn(pid, this.#groupId)));
    return found.filter((line) => line !== undefined);
  }

  async #end(): Promise<ProgramEnd> {
    const read = [this.#read(this.#child.stdout, this.stdout), this.#read(this.#child.stderr, this.stderr)];
    const [code, signal]: unknown[] = await once(this.#child, 'exit');
    await Promise.all(read);
    return { code: typeof code === 'number' ? code : null, signal: isSignal(signal) ? signal : null };
  }

  async #read(stream: NodeJS.ReadableStream | null, into: string[]): Promise<void> {
    if (stream === null) return;
    for await (const line of createInterface({ input: stream })) {
      into.push(line);
      this.#lines.emit('line', line);
    }
  }
}

/** Runs it to its end. @throws Error with what it said unless it exits with 0. */
export async function runProgram(start: ProgramStart): Promise<Program> {
  const program = new Program(start);
  const { code, signal } = await program.ended;
  if (code === 0) return program;
  throw new Error(`${start.command} ${start.args.join(' ')} ended with ${code ?? signal}:\n${program.said()}`);
}

function isSignal(value: unknown): value is NodeJS.Signals {
  return typeof value === 'string' && value.startsWith('SIG');
}

/** The command line of a process that is alive and in the group; `stat` has state and group after the name in brackets. */
async function commandLineIn(pid: string, groupId: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(group) !== groupId || state === 'Z') return undefined;
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    return undefined;
  }
}
