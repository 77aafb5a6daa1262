/** Entry of the thread that plays one shard of a fleet. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { describeError, systemClock } from '@lanyard/sdk/kernel';
import type { Parcel } from '../../report/combine.ts';
import { playPart } from './part.ts';
import type { PartOutcome, PartPlan } from './part.ts';

/** What the thread tells. Both ends are ours and start from the same build. */
export type ShardMessage =
  | { readonly kind: 'progress'; readonly parcel: Parcel; readonly share: number }
  | { readonly kind: 'done'; readonly outcome: PartOutcome }
  | { readonly kind: 'failed'; readonly message: string };

/** A parcel asks every appliance: of the hundreds that a run could send, people see a few. */
const PROGRESS_MS = 1_000;

if (!parentPort) throw new Error('the shard worker was started as a program');
await play(parentPort);

async function play(port: MessagePort): Promise<void> {
  const tell = (message: ShardMessage): void => port.postMessage(message);
  let isStopped = false;
  port.once('message', () => {
    isStopped = true;
  });
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- shards.ts, of the same build, put it there
    const plan = workerData as PartPlan;
    let toldMs = -Infinity;
    const onProgress = (parcel: () => Parcel, share: number): void => {
      const nowMs = systemClock.monotonicMs();
      if (nowMs - toldMs < PROGRESS_MS) return;
      toldMs = nowMs;
      tell({ kind: 'progress', parcel: parcel(), share });
    };
    tell({ kind: 'done', outcome: await playPart(plan, { onProgress, isStopped: () => isStopped }) });
  } catch (error) {
    tell({ kind: 'failed', message: describeError(error) });
  } finally {
    port.close();
  }
}
