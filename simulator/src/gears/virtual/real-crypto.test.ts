import type { KeyMaker } from '@lanyard/sdk';
import { VirtualClock } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { realKeys } from './real-crypto.ts';

/** Keys that are ready when the test says so, in any order. */
class Workshop implements KeyMaker {
  readonly begun: ((keyHash: string) => void)[] = [];
  readonly failing: ((error: Error) => void)[] = [];

  makeKeyPair(): Promise<{ keyPem: string; keyHash: string }> {
    return new Promise((resolve, reject) => {
      this.begun.push((keyHash) => resolve({ keyPem: '', keyHash }));
      this.failing.push(reject);
    });
  }

  makeSigningRequest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array());
  }
}

test('what is asked for first is begun and ready first', async () => {
  const workshop = new Workshop();
  const keys = realKeys(new VirtualClock(), workshop);
  const ready: string[] = [];
  const all = ['first', 'second'].map(async () => ready.push((await keys.makeKeyPair()).keyHash));
  await new Promise(setImmediate);
  expect(workshop.begun).toHaveLength(1);
  workshop.begun[0]!('first');
  await new Promise(setImmediate);
  expect(ready).toEqual(['first']);
  workshop.begun[1]!('second');
  await Promise.all(all);
  expect(ready).toEqual(['first', 'second']);
});

test('a failure is the failure of one', async () => {
  const workshop = new Workshop();
  const keys = realKeys(new VirtualClock(), workshop);
  const [first, second] = [keys.makeKeyPair().catch((error: unknown) => error), keys.makeKeyPair()];
  await new Promise(setImmediate);
  workshop.failing[0]!(new Error('no entropy'));
  expect(await first).toEqual(new Error('no entropy'));
  workshop.begun[1]!('second');
  expect((await second).keyHash).toBe('second');
});

test('no virtual time passes while a key is made', async () => {
  const clock = new VirtualClock(0);
  const workshop = new Workshop();
  const keys = realKeys(clock, workshop);
  const readyAt: number[] = [];
  clock.setTimer(1_000, () => void keys.makeKeyPair().then(() => readyAt.push(clock.nowMs())));
  clock.setTimer(1_001, () => readyAt.push(-1));
  const passed = clock.advance(5_000);
  while (workshop.begun.length === 0) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(clock.nowMs()).toBe(1_000);
  workshop.begun[0]!('ready');
  await passed;
  expect(readyAt).toEqual([1_000, -1]);
});
