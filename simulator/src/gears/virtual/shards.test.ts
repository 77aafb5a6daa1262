import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { scenarioSchema } from '../../scenarios/scenario.ts';
import type { CryptoMode } from './crypto.ts';
import { playPart } from './part.ts';
import { playShards } from './shards.ts';
import type { ShardedObserver, ShardedOutcome, ShardedPlan } from './shards.ts';
import { HOUR_MS } from './test-world.ts';

function plan(change: Partial<ShardedPlan> = {}): ShardedPlan {
  return {
    scenario: scenarioSchema.parse({ name: 'small', about: 'A small fleet.' }),
    appliances: 5,
    seed: 1,
    lengthMs: 2 * HOUR_MS,
    crypto: 'stub',
    shards: 1,
    replay: { scenario: 'small', appliances: 5, seed: 1 },
    ...change,
  };
}

const unseen = { onProgress: () => {}, isStopped: () => false };

async function played(
  change: Partial<ShardedPlan> = {},
  observer: Partial<ShardedObserver> = {},
): Promise<ShardedOutcome> {
  return await playShards(plan(change), { onProgress: () => {}, signal: new AbortController().signal, ...observer });
}

test('one shard is the part itself, in this thread', async () => {
  const part = await playPart(plan(), unseen);
  const whole = await played();
  expect(whole.eventHash).toBe(part.eventHash);
  expect(whole.snapshot.heads.certified).toBe(5);
});

describe('shards', () => {
  test('in threads add up to the fleet, by what each of them does alone', async () => {
    const shares: number[] = [];
    const whole = await played({ shards: 2 }, { onProgress: (_, share) => shares.push(share) });
    expect(whole.snapshot.heads).toMatchObject({ live: 5, certified: 5 });
    expect(whole.violations).toMatchObject({ total: 0, tolerated: 0 });
    const { replay } = plan();
    const parts = [
      await playPart(plan({ appliances: 3, seed: 1, replay: { ...replay, shards: 2, shard: 0 } }), unseen),
      await playPart(plan({ appliances: 2, seed: 1 + 1_000_033, replay: { ...replay, shards: 2, shard: 1 } }), unseen),
    ];
    const hashes = parts.map(({ eventHash }) => eventHash).join(' ');
    expect(whole.eventHash).toBe(createHash('sha256').update(hashes).digest('hex').slice(0, 16));
    // Each says how far it is, and the mean is told.
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares.at(-1)).toBeCloseTo(1, 2);
  });

  test('are dealt out in turn: number 4 of the fleet is number 1 of the second', async () => {
    const alone = await played({ shards: 3, only: 4 });
    const part = await playPart(
      plan({ appliances: 2, seed: 1 + 1_000_033, only: 1, replay: { ...plan().replay, shards: 3, shard: 1 } }),
      unseen,
    );
    expect(alone.eventHash).toBe(part.eventHash);
    expect(alone.snapshot.heads.certified).toBe(1);
  });

  test('more of them than cores wait for their turn', async () => {
    const whole = await played({ shards: 5 });
    expect(whole.snapshot.heads).toMatchObject({ live: 5, certified: 5 });
    expect(whole.eventHash).toBe((await played({ shards: 5 })).eventHash);
  });

  test('stop when they are told to', async () => {
    const abort = new AbortController();
    const lengthMs = 1_000 * 24 * HOUR_MS;
    const run = played({ shards: 2, lengthMs }, { signal: abort.signal, onProgress: () => abort.abort() });
    expect((await run).snapshot.simulatedMs).toBeLessThan(lengthMs);
  });

  test('a thread that dies ends the run with what it said', async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what no caller can say breaks the thread
    const crypto = 'none' as CryptoMode;
    await expect(played({ shards: 2, crypto })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('a shard of the simulation died'),
    });
  });
});
