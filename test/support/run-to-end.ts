/** Runs another program to its end, with a bound on its time and on what it says. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

export interface ProgramOptions {
  readonly cwd?: string;
  /** Beside this process' own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on its standard input, which is empty when left out. */
  readonly input?: string;
  readonly timeoutMs?: number;
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Command line, exit code and all that it said: what a failed test should show. */
  readonly report: string;
}

/** Certbot on a busy machine takes half of it. */
const TIMEOUT_MS = 90_000;

export async function runToEnd(
  program: string,
  args: readonly string[],
  { cwd, env, input = '', timeoutMs = TIMEOUT_MS }: ProgramOptions = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: 'pipe',
    // A process group of its own, so that its children end with it.
    detached: true,
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // A program that does not read its input closes the pipe: no reason to fail.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => endGroup(child), timeoutMs);
  const [code]: (number | null)[] = await once(child, 'close').finally(() => clearTimeout(timer));
  const outcome = { code: code ?? null, stdout: stdout(), stderr: stderr() };
  const report = `${program} ${args.join(' ')}\nended with ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`;
  return { ...outcome, report };
}

/** @throws with everything that it said unless it ended with 0. */
export function succeeded(ended: Ended): Ended {
  if (ended.code !== 0) throw new Error(ended.report);
  return ended;
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** A program in a loop must not fill the memory of the tests. */
const MOST_CHARACTERS = 4_000_000;

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    if (text.length < MOST_CHARACTERS) text += chunk;
  });
  return () => text;
}
