import { array, assert, integer, nat, option, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { TimerHeap } from './timer-heap.ts';

test('whatever is added and cancelled, the rest comes in order of time, and of making at one instant', () => {
  const step = record({ dueMs: integer({ min: 0, max: 20 }), cancels: option(nat(50)) });
  assert(
    property(array(step, { maxLength: 60 }), (steps) => {
      const heap = new TimerHeap();
      const fired: number[] = [];
      const timers = steps.map(({ dueMs }, index) => heap.add(dueMs, () => fired.push(index)));
      const gone = new Set(steps.flatMap(({ cancels }) => (cancels === null ? [] : [cancels % steps.length])));
      for (const index of gone) timers[index]?.cancel();
      const expected = steps
        .map(({ dueMs }, index) => ({ dueMs, index }))
        .filter(({ index }) => !gone.has(index))
        .toSorted((one, other) => one.dueMs - other.dueMs || one.index - other.index);
      expect(heap.earliestMs()).toBe(expected[0]?.dueMs);
      for (let timer = heap.takeDue(20); timer !== undefined; timer = heap.takeDue(20)) timer.fire();
      expect(fired).toEqual(expected.map(({ index }) => index));
      expect(heap.earliestMs()).toBeUndefined();
    }),
  );
});

test('what is due later stays', () => {
  const heap = new TimerHeap();
  heap.add(5, () => {});
  heap.add(6, () => {});
  expect(heap.takeDue(5)?.dueMs).toBe(5);
  expect(heap.takeDue(5)).toBeUndefined();
  expect(heap.earliestMs()).toBe(6);
});
