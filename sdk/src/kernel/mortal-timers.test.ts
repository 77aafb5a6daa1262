import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { MortalTimers } from './mortal-timers.ts';

test('what is due before the end fires, unless it was cancelled; nothing does afterwards', async () => {
  const clock = new VirtualClock();
  const timers = new MortalTimers(clock);
  const fired: string[] = [];
  timers.setTimer(10, () => fired.push('due'));
  timers.setTimer(10, () => fired.push('cancelled')).cancel();
  timers.setTimer(30, () => fired.push('too late'));
  await clock.advance(20);
  timers.end();
  timers.setTimer(1, () => fired.push('set after the end')).cancel();
  timers.setTimer(1, () => fired.push('set after the end'));
  await clock.advance(100);
  expect(fired).toEqual(['due']);
  expect(timers.isOver).toBe(true);
  expect(clock.nextTimerMs()).toBeUndefined();
});
