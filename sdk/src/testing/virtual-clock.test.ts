import { expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

test('timers fire in the order of their time, and of their making at one instant', async () => {
  const clock = new VirtualClock(1_000);
  const fired: string[] = [];
  for (const [name, delayMs] of [
    ['c', 20],
    ['a', 10],
    ['b', 10],
    ['never', 31],
  ] as const) {
    clock.setTimer(delayMs, () => fired.push(`${name} ${clock.nowMs()}`));
  }
  await clock.advance(30);
  expect(fired).toEqual(['a 1010', 'b 1010', 'c 1020']);
  expect(clock.nowMs()).toBe(1_030);
  expect(clock.monotonicMs()).toBe(30);
  expect(clock.nextTimerMs()).toBe(1_031);
});

test('with many timers a turn each still finds what those before it have settled', async () => {
  const clock = new VirtualClock(0, { timersPerTurn: 100 });
  const seen: string[] = [];
  clock.setTimer(10, () => void Promise.resolve().then(() => clock.setTimer(5, () => seen.push('set in a promise'))));
  clock.setTimer(20, () => seen.push('later'));
  await clock.advance(30);
  expect(seen).toEqual(['set in a promise', 'later']);
});

test('a timer set by another one fires within the same advance, after promises have settled', async () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  const tick = async (): Promise<void> => {
    await Promise.resolve();
    seen.push(clock.monotonicMs());
    clock.setTimer(10, () => void tick());
  };
  clock.setTimer(0, () => void tick());
  await clock.advance(35);
  expect(seen).toEqual([0, 10, 20, 30]);
});

test('a cancelled timer does not fire, not even when another one of that instant cancels it', async () => {
  const clock = new VirtualClock();
  let fired = 0;
  clock.setTimer(10, () => second.cancel());
  const second = clock.setTimer(10, () => (fired += 1));
  await clock.advance(100);
  expect(fired).toBe(0);
});

test('seeded dice fall alike for one seed, differently for another, and evenly', () => {
  expect(throwsOf(1)).toEqual(throwsOf(1));
  expect(throwsOf(1)).not.toEqual(throwsOf(2));
  const mean = throwsOf(3).reduce((sum, each) => sum + each, 0) / 1_000;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
  expect(throwsOf(4).every((each) => each >= 0 && each < 1)).toBe(true);
  expect(seededRandom(5).bytes(8)).toEqual(seededRandom(5).bytes(8));
});

function throwsOf(seed: number): readonly number[] {
  const random = seededRandom(seed);
  return Array.from({ length: 1_000 }, () => random.uniform());
}

test('time stands still for work that takes real time', async () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  clock.setTimer(10, () => {
    const work = new Promise<void>((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
    void clock.standStillFor(work).then(() => seen.push(clock.monotonicMs()));
  });
  clock.setTimer(11, () => seen.push(clock.monotonicMs()));
  await clock.advance(20);
  expect(seen).toEqual([10, 11]);
});
