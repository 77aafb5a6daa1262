import { expect, test } from 'vitest';
import { DAY_MS, DirectWorld, HOUR_MS } from './direct-world.ts';
import { AUTHORITY_PRESETS } from './presets.ts';

const { policy } = AUTHORITY_PRESETS.letsencrypt;

async function lifeOf(world: DirectWorld, name: string, profile?: string): Promise<number> {
  const { notBeforeMs, notAfterMs } = await world.issue({
    names: [name],
    ...(profile === undefined ? {} : { profile }),
  });
  return notAfterMs + 1000 - notBeforeMs;
}

test('at Let’s Encrypt classic lives 90 days, 64 from 10 February 2027, 45 from 16 February 2028', async () => {
  const world = new DirectWorld({ policy: { ...policy, validationDelayMs: 0 } });
  expect([await lifeOf(world, 'a.test'), await lifeOf(world, 'a.test', 'tlsserver')]).toEqual([
    90 * DAY_MS,
    45 * DAY_MS,
  ]);
  expect(await lifeOf(world, 'a.test', 'shortlived')).toBe(160 * HOUR_MS);
  await world.clock.advance(Date.UTC(2027, 1, 10) - 1 - world.clock.nowMs());
  expect(await lifeOf(world, 'b.test')).toBe(90 * DAY_MS);
  await world.clock.advance(1);
  expect(await lifeOf(world, 'b.test')).toBe(64 * DAY_MS);
  await world.clock.advance(Date.UTC(2028, 1, 16) - world.clock.nowMs());
  expect(await lifeOf(world, 'b.test')).toBe(45 * DAY_MS);
});

test('with the life the reuse of proofs changes: 30 days, then 10, then 7 hours', async () => {
  const world = new DirectWorld({ policy: { ...policy, validationDelayMs: 0 } });
  const isReusedAfter = async (name: string, pauseMs: number): Promise<boolean> => {
    await world.issue(name);
    await world.clock.advance(pauseMs);
    return (await world.door.newOrder({ names: [name] })).status === 'ready';
  };
  expect([await isReusedAfter('a.test', 28 * DAY_MS), await isReusedAfter('b.test', 30 * DAY_MS)]).toEqual([
    true,
    false,
  ]);
  await world.clock.advance(Date.UTC(2027, 1, 10) - world.clock.nowMs());
  expect([await isReusedAfter('c.test', 8 * DAY_MS), await isReusedAfter('d.test', 10 * DAY_MS)]).toEqual([
    true,
    false,
  ]);
  await world.clock.advance(Date.UTC(2028, 1, 16) - world.clock.nowMs());
  expect([await isReusedAfter('e.test', 5 * HOUR_MS), await isReusedAfter('f.test', 7 * HOUR_MS)]).toEqual([
    true,
    false,
  ]);
});

test('staging changes thirty days before production', () => {
  const [production] = policy.profileChanges;
  const [staging] = AUTHORITY_PRESETS['letsencrypt-staging'].policy.profileChanges;
  expect((production?.fromMs ?? 0) - (staging?.fromMs ?? 0)).toBe(30 * DAY_MS);
});

test('without a calendar nothing changes, until a scenario says so', async () => {
  const world = new DirectWorld();
  await world.clock.advance(1000 * DAY_MS);
  expect(await lifeOf(world, 'a.test')).toBe(90 * DAY_MS);
  const change = { validityMs: 47 * DAY_MS };
  world.core.controls.changeProfile({ fromMs: world.clock.nowMs() + HOUR_MS, profile: 'classic', change });
  expect(await lifeOf(world, 'a.test')).toBe(90 * DAY_MS);
  await world.clock.advance(HOUR_MS);
  expect(await lifeOf(world, 'a.test')).toBe(47 * DAY_MS);
});

test('the same wish meets the same order while it is open, and is counted all the same', async () => {
  const limits = { limits: { newOrdersPerAccount: { burst: 2, periodMs: DAY_MS } }, ceilings: {} };
  const world = new DirectWorld({ limits });
  const { id } = await world.door.newOrder({ names: ['a.test'] });
  expect((await world.door.newOrder({ names: ['A.test'] })).id).toBe(id);
  expect(world.told('ordered')).toHaveLength(1);
  await expect(world.door.newOrder({ names: ['a.test'] })).rejects.toThrow(/too many new orders/);
});
