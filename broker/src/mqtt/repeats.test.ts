import { VirtualClock } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { Repeats } from './repeats.ts';

test('the first of its kind is due, the rest are counted until an hour has passed', async () => {
  const clock = new VirtualClock();
  const repeats = new Repeats(clock);
  expect(repeats.note('a')).toEqual({ isDue: true, unlogged: 0 });
  expect(repeats.note('a').isDue).toBe(false);
  expect(repeats.note('a').isDue).toBe(false);
  expect(repeats.note('b')).toEqual({ isDue: true, unlogged: 0 });
  await clock.advance(60 * 60 * 1000);
  expect(repeats.note('a')).toEqual({ isDue: true, unlogged: 2 });
});

test('what is forgotten to stay small is due again', () => {
  const repeats = new Repeats(new VirtualClock());
  repeats.note('first');
  for (let index = 0; index < 2000; index++) repeats.note(`other ${index}`);
  expect(repeats.note('first').isDue).toBe(true);
  expect(repeats.note('other 1999').isDue).toBe(false);
});
