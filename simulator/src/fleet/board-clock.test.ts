import { expect, test } from 'vitest';
import { VirtualClock } from '@lanyard/sdk/testing';
import { BoardClock } from './board-clock.ts';

const NOON_MS = Date.UTC(2026, 10, 23, 12);

test('with a battery it shows the true time, and counts from its own power-on', async () => {
  const clock = new VirtualClock(NOON_MS);
  await clock.advance(5_000);
  const board = new BoardClock(clock);
  await clock.advance(250);
  expect(board.nowMs()).toBe(NOON_MS + 5_250);
  expect(board.monotonicMs()).toBe(250);
});

test('without a battery every boot is in 1970, and time passes from there', async () => {
  const clock = new VirtualClock(NOON_MS);
  await clock.advance(5_000);
  const board = new BoardClock(clock, 0);
  expect(board.nowMs()).toBe(0);
  await clock.advance(90_000);
  expect(new Date(board.nowMs()).toISOString()).toBe('1970-01-01T00:01:30.000Z');
});

test('timers fire when they are due, unless they were cancelled', async () => {
  const clock = new VirtualClock(NOON_MS);
  const board = new BoardClock(clock);
  const fired: string[] = [];
  board.setTimer(10, () => fired.push('first'));
  const cancelled = board.setTimer(20, () => fired.push('cancelled'));
  board.setTimer(30, () => fired.push('last'));
  await clock.advance(10);
  expect(fired).toEqual(['first']);
  cancelled.cancel();
  await clock.advance(20);
  expect(fired).toEqual(['first', 'last']);
});

test('when the power is cut everything that waited is forgotten, and the clock behind it holds nothing', async () => {
  const clock = new VirtualClock(NOON_MS);
  const board = new BoardClock(clock);
  const fired: string[] = [];
  board.setTimer(10, () => {
    fired.push('before');
    board.setTimer(10, () => fired.push('set by a timer'));
  });
  board.setTimer(30, () => fired.push('waiting'));
  await clock.advance(10);
  board.cutPower();
  expect(clock.nextTimerMs()).toBeUndefined();
  const late = board.setTimer(1, () => fired.push('set without power'));
  expect(clock.nextTimerMs()).toBeUndefined();
  late.cancel();
  await clock.advance(1_000);
  expect(fired).toEqual(['before']);
});

test('one board’s power is nobody else’s', async () => {
  const clock = new VirtualClock(NOON_MS);
  const [board, neighbour] = [new BoardClock(clock), new BoardClock(clock)];
  const fired: string[] = [];
  board.setTimer(10, () => fired.push('board'));
  neighbour.setTimer(10, () => fired.push('neighbour'));
  board.cutPower();
  await clock.advance(10);
  expect(fired).toEqual(['neighbour']);
});
