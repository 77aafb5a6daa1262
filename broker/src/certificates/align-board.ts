/** At the start: the board shows what open orders need, and nothing else. */
import { describeError } from '@lanyard/sdk/kernel';
import type { Logger } from '@lanyard/sdk/kernel';
import type { ChallengeBoard, ChallengeRecord } from './challenge-board.ts';
import { challengesOf, isReadBack } from './order.ts';
import type { Order } from './order.ts';

/** @param orders every open one. @throws what the board throws when it cannot be read or cleared. */
export async function alignBoard(board: ChallengeBoard, orders: readonly Order[], log: Logger): Promise<void> {
  const shown = await board.list();
  await clearStrays(board, shown, orders, log);
  await putBack(board, shown, orders, log);
}

async function clearStrays(
  board: ChallengeBoard,
  shown: readonly ChallengeRecord[],
  orders: readonly Order[],
  log: Logger,
): Promise<void> {
  const owned = new Set(orders.flatMap(challengesOf).map(keyOf));
  for (const record of shown) {
    if (owned.has(keyOf(record))) continue;
    log.warn({ name: record.name }, 'challenge record without an order taken down');
    await board.clear(record);
  }
}

/** What is answered over HTTP is in memory alone, and the CA may be about to look. */
async function putBack(
  board: ChallengeBoard,
  shown: readonly ChallengeRecord[],
  orders: readonly Order[],
  log: Logger,
): Promise<void> {
  const up = new Set(shown.map(keyOf));
  for (const record of orders.filter(isReadBack).flatMap(challengesOf)) {
    if (up.has(keyOf(record))) continue;
    try {
      await board.put(record);
    } catch (error) {
      // The CA will say that it found nothing, and the order begins anew: no reason not to start.
      log.warn({ name: record.name, err: describeError(error) }, 'challenge record could not be put up again');
    }
  }
}

function keyOf({ kind, name, value }: ChallengeRecord): string {
  return `${kind} ${name} ${value}`;
}
