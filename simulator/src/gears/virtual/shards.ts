/** Plays a fleet in shards, as many at once as there are cores, and adds up what they measured. */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LanyardError } from '@lanyard/sdk/kernel';
import { combine } from '../../report/combine.ts';
import type { Combined, Parcel } from '../../report/combine.ts';
import type { Violations } from '../../report/result.ts';
import { playPart } from './part.ts';
import type { PartOutcome, PartPlan } from './part.ts';
import type { ShardMessage } from './shard-worker.ts';

export interface ShardedPlan extends PartPlan {
  /** 1: everything in this thread. */
  readonly shards: number;
}

export interface ShardedOutcome extends Combined {
  readonly eventHash: string;
  readonly violations: Violations;
}

export interface ShardedObserver {
  readonly onProgress: (combined: () => Combined, share: number) => void;
  readonly signal: AbortSignal;
}

/** Young objects of a simulation live for one virtual second: room for many of them halves the collector's work. */
const YOUNG_MB = 64;

/** @throws LanyardError `internal` when a thread died. */
export async function playShards(plan: ShardedPlan, { onProgress, signal }: ShardedObserver): Promise<ShardedOutcome> {
  const parts = partsOf(plan);
  const latest: (() => Parcel)[] = [];
  const shares = parts.map(() => 0);
  const outcomes = await atOnce(availableParallelism(), parts, (part, index) => {
    const tell = (parcel: () => Parcel, share: number): void => {
      latest[index] = parcel;
      shares[index] = share;
      const told = (): Combined => combineAll(Object.values(latest).map((make) => make()));
      onProgress(told, shares.reduce((sum, one) => sum + one, 0) / shares.length);
    };
    const isStopped = (): boolean => signal.aborted;
    if (parts.length === 1) return playPart(part, { onProgress: tell, isStopped });
    return playInThread(part, (parcel, share) => tell(() => parcel, share), signal);
  });
  return {
    ...combineAll(outcomes.map(({ parcel }) => parcel)),
    eventHash: hashOf(outcomes),
    violations: addUp(outcomes.map(({ violations }) => violations)),
  };
}

/** Appliances are dealt out in turn; the number of one within its shard is its number divided by the shards. */
function partsOf({
  shards,
  scenario,
  appliances,
  seed,
  lengthMs,
  crypto,
  only,
  replay,
}: ShardedPlan): readonly PartPlan[] {
  const parts = Array.from({ length: shards }, (_, shard) => ({
    scenario,
    lengthMs,
    crypto,
    replay: { ...replay, shards, shard },
    appliances: Math.floor(appliances / shards) + (shard < appliances % shards ? 1 : 0),
    seed: seed + shard * 1_000_033,
    only: only === undefined ? undefined : Math.floor(only / shards),
  }));
  // To look at one appliance its own shard is enough.
  return only === undefined ? parts : parts.slice(only % shards, (only % shards) + 1);
}

/** A shard that has not begun costs nothing: memory is that of the shards that run. */
async function atOnce<T, Outcome>(
  most: number,
  items: readonly T[],
  play: (item: T, index: number) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) outcomes[index] = await play(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return outcomes;
}

function playInThread(
  part: PartPlan,
  onProgress: (parcel: Parcel, share: number) => void,
  signal: AbortSignal,
): Promise<PartOutcome> {
  return new Promise((resolve, reject) => {
    const worker = startWorker(part);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker of ours, not a window
    const stop = (): void => worker.postMessage('stop');
    const died = (cause: unknown): void => {
      reject(new LanyardError('internal', { message: `a shard of the simulation died: ${String(cause)}`, cause }));
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    worker.on('message', (message: ShardMessage) => {
      if (message.kind === 'progress') return onProgress(message.parcel, message.share);
      signal.removeEventListener('abort', stop);
      if (message.kind === 'done') {
        onProgress(message.outcome.parcel, 1);
        return resolve(message.outcome);
      }
      died(message.message);
    });
    worker.once('error', died);
    worker.once('exit', (code) => died(`exit code ${code}`));
  });
}

/** The source is TypeScript that Node runs as it is; the build has the worker's entry beside the program's. */
function startWorker(part: PartPlan): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = new URL(isSource ? './shard-worker.ts' : './shard-worker.js', import.meta.url);
  return new Worker(entry, {
    workerData: part,
    execArgv: isSource ? ['--conditions=lanyard-source'] : [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB, maxOldGenerationSizeMb: 65_536 },
  });
}

function addUp(all: readonly Violations[]): Violations {
  const sumOf = (pick: (violations: Violations) => number): number => all.reduce((sum, one) => sum + pick(one), 0);
  return {
    total: sumOf(({ total }) => total),
    tolerated: sumOf(({ tolerated }) => tolerated),
    shown: all.flatMap(({ shown }) => shown).toSorted((one, other) => one.atMs - other.atMs),
  };
}

function combineAll([first, ...rest]: readonly Parcel[]): Combined {
  if (first === undefined) throw new LanyardError('internal', { message: 'nothing was measured' });
  return combine([first, ...rest]);
}

/** One shard's own, or that of all of them in their order. */
function hashOf(outcomes: readonly PartOutcome[]): string {
  const hashes = outcomes.map(({ eventHash }) => eventHash);
  const [only = ''] = hashes;
  return hashes.length === 1 ? only : createHash('sha256').update(hashes.join(' ')).digest('hex').slice(0, 16);
}
