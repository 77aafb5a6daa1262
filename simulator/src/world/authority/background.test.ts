import { silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { Background } from './background.ts';

test('so much runs at once, so much waits, and the rest is sent away', async () => {
  const background = new Background({ clock: new VirtualClock(), log: silentLogger, concurrency: 2, queueLimit: 1 });
  const gates: (() => void)[] = [];
  const work = (): Promise<void> => new Promise((resolve) => gates.push(resolve));
  const first = background.run(0, work);
  void background.run(0, work);
  const third = background.run(0, work);
  expect(() => background.run(0, work)).toThrow(expect.objectContaining({ status: 503 }));
  expect(gates).toHaveLength(2);
  gates[0]?.();
  await first;
  expect(gates).toHaveLength(3);
  gates[2]?.();
  await third;
});

test('work that throws harms nobody', async () => {
  const background = new Background({ clock: new VirtualClock(), log: silentLogger });
  await background.run(0, () => Promise.reject(new Error('no')));
  let hasRun = false;
  await background.run(0, async () => {
    hasRun = true;
  });
  expect(hasRun).toBe(true);
});

test('stop ends what sleeps and what waits', async () => {
  const clock = new VirtualClock();
  const background = new Background({ clock, log: silentLogger, concurrency: 1 });
  let hasRun = false;
  const run = async (): Promise<void> => {
    hasRun = true;
  };
  const both = [background.run(1000, run), background.run(0, run)];
  await background.stop();
  await Promise.all(both);
  await clock.advance(2000);
  expect(hasRun).toBe(false);
});
