/** A world whose CA has limits, and what it counted. Only for tests. */
import { expect } from 'vitest';
import type { RateLimit } from './budget/rate-limit.ts';
import { World, honest, requestFor } from './test-life.ts';
import type { Life, Witness } from './test-life.ts';

const MINUTE_MS = 60_000;

/** Three at once, then one in ten minutes. */
export const THREE: RateLimit = { burst: 3, periodMs: 30 * MINUTE_MS };
export const INTERVAL_MS = 10 * MINUTE_MS;

export function nameOf(n: number): string {
  return `a${n}.devices.example.com`;
}

export function requestOf(n: number, key = `key-${n}`) {
  return requestFor([nameOf(n)], key, `appliance-${n}`);
}

export function worldWith(limits: World['terms']['limits'], renewals: World['terms']['renewals'] = 'exempt'): World {
  const world = new World();
  world.terms = { id: 'ca', limits, renewals };
  return world;
}

interface Beginning {
  readonly orders: number;
  readonly witness?: Witness;
  readonly concurrency?: number;
}

/** A life with one request of each of so many appliances. */
export async function begin(world: World, { orders, witness = honest, concurrency = 4 }: Beginning): Promise<Life> {
  const life = world.live(witness, concurrency);
  await life.issuance.start();
  for (let n = 0; n < orders; n++) await life.issuance.request(requestOf(n));
  return life;
}

/** When each newOrder came, from the start of the world. */
export function newOrderTimes(world: World): readonly number[] {
  const startMs = world.clock.nowMs() - world.clock.monotonicMs();
  return world.authority.newOrders.map(({ atMs }) => atMs - startMs);
}

export function namesOrdered({ authority }: World): readonly string[] {
  return authority.newOrders.flatMap(({ names }) => names);
}

/** How often the CA was asked for anything. */
export function counting(inner: Witness): { readonly witness: Witness; readonly asked: () => number } {
  let asked = 0;
  const witness: Witness = async (name, act) => {
    if (name.startsWith('authority.')) asked += 1;
    return await inner(name, act);
  };
  return { witness, asked: () => asked };
}

/** GCRA, as the CA counts: no stretch of time sees more than the burst and what came back meanwhile. */
export function expectWithin(world: World, { burst, periodMs }: RateLimit): void {
  const times = newOrderTimes(world);
  const intervalMs = periodMs / burst;
  for (const [from, firstMs] of times.entries()) {
    for (const [more, lastMs] of times.slice(from).entries()) {
      expect(more + 1, `newOrders from ${firstMs} to ${lastMs}`).toBeLessThanOrEqual(
        burst + (lastMs - firstMs) / intervalMs,
      );
    }
  }
}
