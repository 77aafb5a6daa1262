import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from './due-queue.ts';

test('what is due comes out earliest first, and in the order it came when due at one instant', () => {
  const queue = new DueQueue<string>();
  for (const [item, dueMs] of [
    ['late', 30],
    ['first', 10],
    ['second', 10],
    ['early', 5],
  ] as const)
    queue.set(item, dueMs);
  expect(queue.nextDueMs()).toBe(5);
  expect([1, 2, 3, 4].map(() => queue.takeDue(10))).toEqual(['early', 'first', 'second', undefined]);
  expect(queue.takeDue(30)).toBe('late');
  expect(queue.nextDueMs()).toBeUndefined();
});

test('a thing that is set again moves, and is not there twice', () => {
  const queue = new DueQueue<string>();
  for (let round = 0; round < 10_000; round++) queue.set('appliance', round);
  expect(queue.size).toBe(1);
  expect(queue.takeDue(9_998)).toBeUndefined();
  expect(queue.takeDue(9_999)).toBe('appliance');
  expect(queue.size).toBe(0);
});

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), item: fc.nat(20), dueMs: fc.nat(10) }),
  fc.record({ kind: fc.constant('delete' as const), item: fc.nat(20) }),
  fc.record({ kind: fc.constant('take' as const), nowMs: fc.nat(10) }),
);

test('whatever is set, deleted and taken, it answers like a sorted list', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const queue = new DueQueue<number>();
      let model: { readonly item: number; readonly dueMs: number }[] = [];
      const isRight = acts.every((each) => {
        const first = model.toSorted((a, b) => a.dueMs - b.dueMs)[0];
        const taken = each.kind === 'take' && first && first.dueMs <= each.nowMs ? first.item : undefined;
        const gone = each.kind === 'take' ? taken : each.item;
        model = model.filter(({ item }) => item !== gone);
        if (each.kind === 'set') model.push({ item: each.item, dueMs: each.dueMs });
        return answer(queue, each) === taken && queue.size === model.length;
      });
      expect(isRight).toBe(true);
    }),
  );
});

function answer(queue: DueQueue<number>, each: Act): number | undefined {
  if (each.kind === 'take') return queue.takeDue(each.nowMs);
  if (each.kind === 'delete') queue.delete(each.item);
  else queue.set(each.item, each.dueMs);
  return undefined;
}

type Act =
  | { readonly kind: 'set'; readonly item: number; readonly dueMs: number }
  | { readonly kind: 'delete'; readonly item: number }
  | { readonly kind: 'take'; readonly nowMs: number };
