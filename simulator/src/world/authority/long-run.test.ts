import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { DAY_MS, DirectWorld, HOUR_MS } from './direct-world.ts';
import { LETSENCRYPT_OVERRIDE } from './rate-limits.ts';

const NAMES = 100;

/** Every name is renewed each thirty days, one after the other; what was told is hashed. */
async function run(
  days: number,
  seed: number,
): Promise<{ hash: string; sizes: ReturnType<DirectWorld['core']['sizes']> }> {
  const world = new DirectWorld({ limits: LETSENCRYPT_OVERRIDE, seed, policy: { profileChanges: [] } });
  const pauseMs = (30 * DAY_MS) / NAMES;
  for (let count = 0; count * pauseMs < days * DAY_MS; count += 1) {
    await world.issue(`n${count % NAMES}.v.test`);
    if (count % 10 === 0) await world.fail(`lost${count}.v.test`);
    await world.clock.advance(pauseMs);
  }
  if (world.told('overdrawn').length + world.told('limited').length > 0) throw new Error('a limit was met');
  return { hash: createHash('sha256').update(JSON.stringify(world.events)).digest('hex'), sizes: world.core.sizes() };
}

test('what has ended is forgotten: 400 days keep no more than 200', async () => {
  const [shorter, longer] = [await run(200, 1), await run(400, 1)];
  for (const kind of ['orders', 'authorizations', 'certificates', 'issuedSets'] as const) {
    expect(longer.sizes[kind]).toBeLessThanOrEqual(shorter.sizes[kind] + 2);
  }
  // A life of 90 days and a renewal each 30: three of each name.
  expect(longer.sizes.certificates).toBeLessThanOrEqual(3 * NAMES + 10);
  expect(longer.sizes.issuedSets).toBe(NAMES);
});

test('the same seed tells the same story, another seed another one', async () => {
  const [first, second, other] = [await run(40, 1), await run(40, 1), await run(40, 2)];
  expect(second.hash).toBe(first.hash);
  expect(other.hash).not.toBe(first.hash);
});

test('full buckets are dropped', async () => {
  const world = new DirectWorld({ limits: LETSENCRYPT_OVERRIDE });
  for (let count = 0; count < 3000; count += 1) {
    await world.fail(`lost${count}.v.test`);
    await world.clock.advance(HOUR_MS);
  }
  // Each failure fills two buckets, for an hour and for a day; the sweep comes at 1,024 of a kind.
  expect(world.core.sizes().buckets).toBeLessThan(2100);
  expect(world.core.sizes().buckets).toBeGreaterThan(24);
});
