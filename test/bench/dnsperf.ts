/** Load from dnsperf, Debian's program: what a DNS server takes, and how long its answers take. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { peer } from '../support/peers.ts';

export interface Load {
  readonly port: number;
  /** A file of names and types. */
  readonly questions: string;
  readonly seconds: number;
  /** Absent: as many as are answered, a hundred under way at once. */
  readonly perSecond?: number;
}

export interface LoadFigures {
  readonly answered: number;
  readonly lost: number;
  readonly perSecond: number;
  /** The time within which 99 of 100 answers came; only where the rate was given. */
  readonly p99Ms: number;
}

/** A line for each answer of a long run. */
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

export async function putLoad({ port, questions, seconds, perSecond }: Load): Promise<LoadFigures> {
  const rate = perSecond === undefined ? [] : ['-v', '-Q', String(perSecond)];
  const given = ['-s', '127.0.0.1', '-p', String(port), '-d', questions, '-l', String(seconds), ...rate];
  const { stdout } = await promisify(execFile)(peer('dnsperf'), given, { maxBuffer: MAX_OUTPUT_BYTES });
  return {
    answered: numberIn(stdout, /Queries completed: +(\d+)/),
    lost: numberIn(stdout, /Queries lost: +(\d+)/),
    perSecond: numberIn(stdout, /Queries per second: +([\d.]+)/),
    p99Ms: percentile99(latenciesMs(stdout)),
  };
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`dnsperf did not say ${pattern.source}: ${text.slice(0, 500)}`);
  return Number(found);
}

/** With -v there is a line for each answer: code, name, type, seconds. */
function latenciesMs(text: string): readonly number[] {
  return Array.from(text.matchAll(/^> \S+ \S+ \S+ ([\d.]+)$/gm), ([, seconds]) => Number(seconds) * 1000);
}

function percentile99(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? 0;
}
