import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lanes, PRIORITIES } from './lanes.ts';
import type { LaneName, Priority } from './lanes.ts';

const NOW_MS = 1_700_000_000_000;

function lane(priority: Priority, zone = 'z'): LaneName {
  return { priority, zone };
}

/** Ids of `zone`, as many as there are, put one after the other. */
function fill(lanes: Lanes<string>, zone: string, count: number, priority: Priority = 'first'): void {
  for (let n = 0; n < count; n++) lanes.put(`${zone}${n}`, lane(priority, zone));
}

function drain(lanes: Lanes<string>, nowMs = NOW_MS): readonly string[] {
  const taken: string[] = [];
  for (let id = lanes.take(nowMs); id !== undefined; id = lanes.take(nowMs)) taken.push(id);
  return taken;
}

describe('urgency', () => {
  for (const [n, urgent] of PRIORITIES.entries()) {
    for (const other of PRIORITIES.slice(n + 1)) {
      test(`${urgent} goes before ${other}`, () => {
        const lanes = new Lanes<string>();
        lanes.put('later', lane(other, 'a'));
        lanes.put('sooner', lane(urgent, 'b'));
        lanes.put('second', lane(urgent, 'b'));
        expect(drain(lanes)).toEqual(['sooner', 'second', 'later']);
      });
    }
  }

  test('of one lane they go in the order they came', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'z', 4);
    expect(drain(lanes)).toEqual(['z0', 'z1', 'z2', 'z3']);
  });
});

describe('fairness', () => {
  test('zones take turns, so that a large one does not starve a small one', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'large', 1_000);
    fill(lanes, 'small', 3);
    fill(lanes, 'tiny', 1);
    const taken = drain(lanes);
    const [firstTurns, rest] = [taken.slice(0, 7), taken.slice(7)];
    expect(firstTurns).toEqual(['large0', 'small0', 'tiny0', 'large1', 'small1', 'large2', 'small2']);
    expect(rest).toEqual(Array.from({ length: 997 }, (_, n) => `large${n + 3}`));
  });

  test('a zone whose orders come one by one has its turn after every other zone, not before', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'a', 2);
    lanes.put('b0', lane('first', 'b'));
    expect([lanes.take(NOW_MS), lanes.take(NOW_MS)]).toEqual(['a0', 'b0']);
    lanes.put('b1', lane('first', 'b'));
    expect(drain(lanes)).toEqual(['a1', 'b1']);
  });

  test('turns are kept for each priority by itself', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'a', 2);
    fill(lanes, 'b', 2);
    expect(lanes.take(NOW_MS)).toBe('a0');
    lanes.put('urgent', lane('renewal', 'b'));
    expect(drain(lanes)).toEqual(['urgent', 'b0', 'a1', 'b1']);
  });
});

function resting(untilMs: number): Lanes<string> {
  const lanes = new Lanes<string>();
  fill(lanes, 'a', 3, 'renewal');
  expect(lanes.take(NOW_MS)).toBe('a0');
  lanes.rest('a0', lane('renewal', 'a'), untilMs, 'budget');
  return lanes;
}

describe('a lane that rests', () => {
  test('gives nothing until then, and then goes on with the one that was put back', () => {
    const lanes = resting(NOW_MS + 10);
    expect(lanes.take(NOW_MS + 9)).toBeUndefined();
    expect(drain(lanes, NOW_MS + 10)).toEqual(['a0', 'a1', 'a2']);
  });

  test('keeps neither other zones nor what is less urgent from going on', () => {
    const lanes = resting(NOW_MS + 10);
    lanes.put('b0', lane('renewal', 'b'));
    lanes.put('c0', lane('re-enrolment', 'a'));
    expect(drain(lanes)).toEqual(['b0', 'c0']);
  });

  test('is not woken by another order', () => {
    const lanes = resting(NOW_MS + 10);
    lanes.put('a3', lane('renewal', 'a'));
    expect(lanes.take(NOW_MS)).toBeUndefined();
    expect(drain(lanes, NOW_MS + 10)).toEqual(['a0', 'a1', 'a2', 'a3']);
  });

  test.each([5, 20, Infinity])('rests until a new instant, %d ms from now, when it is told so', (laterMs) => {
    const lanes = resting(NOW_MS + 10);
    lanes.rest('a0', lane('renewal', 'a'), NOW_MS + laterMs, 'again');
    expect(lanes.nextMs(NOW_MS)).toBe(NOW_MS + laterMs);
    expect(lanes.take(NOW_MS + Math.min(laterMs, 1e9) - 1)).toBeUndefined();
    expect(lanes.take(NOW_MS + laterMs)).toBe('a0');
  });

  test('goes on with those that came back in the order in which they went', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'a', 6, 'renewal');
    const together = () => [lanes.take(NOW_MS), lanes.take(NOW_MS), lanes.take(NOW_MS)];
    expect(together()).toEqual(['a0', 'a1', 'a2']);
    for (const id of ['a0', 'a1', 'a2']) lanes.rest(id, lane('renewal', 'a'), NOW_MS + 10);
    lanes.delete('a1');
    lanes.rest('a1', lane('renewal', 'a'), NOW_MS);
    expect(together()).toEqual(['a0', 'a2', 'a1']);
    for (const id of ['a2', 'a1']) lanes.rest(id, lane('renewal', 'a'), NOW_MS);
    expect(drain(lanes)).toEqual(['a2', 'a1', 'a3', 'a4', 'a5']);
  });

  test('that rests for ever can be woken by another rest', () => {
    const lanes = resting(Infinity);
    lanes.rest('a0', lane('renewal', 'a'), NOW_MS);
    expect(drain(lanes)).toEqual(['a0', 'a1', 'a2']);
  });

  test('has its turn after the others when it wakes', () => {
    const lanes = resting(NOW_MS + 10);
    fill(lanes, 'b', 2, 'renewal');
    expect(drain(lanes, NOW_MS + 10)).toEqual(['b0', 'a0', 'b1', 'a1', 'a2']);
  });

  test('forgets its rest once nobody waits in it', () => {
    const lanes = resting(Infinity);
    for (const id of ['a0', 'a1', 'a2']) lanes.delete(id);
    expect(lanes.nextMs(NOW_MS)).toBeUndefined();
    lanes.put('a4', lane('renewal', 'a'));
    expect(lanes.take(NOW_MS)).toBe('a4');
  });
});

describe('when to look again', () => {
  test('never when nothing waits, now when something can be taken, else when the first lane wakes', () => {
    const lanes = new Lanes<string>();
    expect(lanes.nextMs(NOW_MS)).toBeUndefined();
    lanes.rest('a', lane('first', 'a'), NOW_MS + 30);
    lanes.rest('b', lane('renewal', 'b'), NOW_MS + 20);
    expect(lanes.nextMs(NOW_MS)).toBe(NOW_MS + 20);
    lanes.put('c', lane('re-enrolment', 'c'));
    expect(lanes.nextMs(NOW_MS)).toBe(NOW_MS);
    lanes.delete('c');
    lanes.delete('b');
    expect(lanes.nextMs(NOW_MS)).toBe(NOW_MS + 30);
    expect(lanes.nextMs(NOW_MS + 31)).toBe(NOW_MS + 31);
  });
});

describe('moving', () => {
  test('one that has become urgent leaves its lane, which may rest, and is there once', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'a', 3, 'renewal');
    lanes.rest('a0', lane('renewal', 'a'), Infinity);
    lanes.put('a1', lane('expiring-soon', 'a'));
    expect(lanes.size).toBe(3);
    expect(drain(lanes)).toEqual(['a1']);
    expect(lanes.ahead('a2')).toBe(1);
  });

  test('one that is put where it is keeps its place', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'a', 3);
    lanes.put('a0', lane('first', 'a'));
    expect(drain(lanes)).toEqual(['a0', 'a1', 'a2']);
  });

  test('one that is put back while it waits elsewhere waits at the head only', () => {
    const lanes = new Lanes<string>();
    lanes.put('a', lane('first'));
    lanes.put('b', lane('renewal'));
    lanes.rest('a', lane('renewal'), NOW_MS);
    expect(lanes.size).toBe(2);
    expect(drain(lanes)).toEqual(['a', 'b']);
  });

  test('what is deleted is gone, and may be deleted again', () => {
    const lanes = new Lanes<string>();
    fill(lanes, 'a', 3);
    lanes.delete('a1');
    lanes.delete('a1');
    expect([lanes.has('a0'), lanes.has('a1'), lanes.size]).toEqual([true, false, 2]);
    expect(drain(lanes)).toEqual(['a0', 'a2']);
  });
});

test('people see how many go before, until when the lane rests and why', () => {
  const lanes = new Lanes<string>();
  fill(lanes, 'a', 3);
  expect(lanes.ahead('a2')).toBe(2);
  expect(lanes.outlook('a2')).toEqual({ restsUntilMs: undefined, why: undefined });
  lanes.rest('a1', lane('first', 'a'), NOW_MS + 10, 'budget');
  expect(lanes.ahead('a2')).toBe(2);
  expect(lanes.outlook('a2')).toEqual({ restsUntilMs: NOW_MS + 10, why: 'budget' });
  expect(lanes.ahead('a1')).toBe(0);
  expect(lanes.outlook('a1')).toEqual({ restsUntilMs: NOW_MS + 10, why: 'budget' });
  lanes.rest('a1', lane('first', 'a'), NOW_MS + 20);
  expect(lanes.ahead('a1')).toBe(0);
  expect(lanes.outlook('a1')).toEqual({ restsUntilMs: NOW_MS + 20, why: undefined });
  expect(lanes.take(NOW_MS + 20)).toBe('a1');
  expect(lanes.ahead('a2')).toBe(1);
  expect(lanes.outlook('a2')).toEqual({ restsUntilMs: undefined, why: undefined });
  expect(lanes.outlook('a1')).toBeUndefined();
});

// A queue that looks for its head, such as a Map that lost its first ones, takes minutes for either.
test.each([1, 200_000])('200,000 orders of %d zones come and go in linear time', { timeout: 10_000 }, (zones) => {
  const lanes = new Lanes<string>();
  for (let n = 0; n < 200_000; n++) lanes.put(`${n}`, lane('first', `${n % zones}`));
  for (let n = 0; n < 200_000; n++) demandSame(lanes.take(NOW_MS), `${n}`);
  expect(lanes.size).toBe(0);
  expect(lanes.nextMs(NOW_MS)).toBeUndefined();
});

test('the lanes of 100,000 zones may rest without slowing down the one that goes on', { timeout: 10_000 }, () => {
  const lanes = new Lanes<string>();
  for (let n = 0; n < 100_000; n++) lanes.rest(`${n}`, lane('renewal', `${n}`), NOW_MS + n + 1);
  for (let n = 0; n < 100_000; n++) {
    lanes.put(`next${n}`, lane('re-enrolment'));
    demandSame(lanes.take(NOW_MS), `next${n}`);
  }
  for (let n = 0; n < 100_000; n++) demandSame(lanes.take(NOW_MS + n + 1), `${n}`);
  expect(lanes.size).toBe(0);
});

/** `expect` is too slow for hundreds of thousands. */
function demandSame(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${String(actual)} instead of ${String(expected)}`);
}

type Act =
  | { readonly kind: 'put'; readonly id: string; readonly name: LaneName }
  | { readonly kind: 'delete'; readonly id: string }
  | { readonly kind: 'take' }
  | { readonly kind: 'rest'; readonly id: string; readonly name: LaneName; readonly pauseMs: number }
  | { readonly kind: 'pass'; readonly elapsedMs: number };

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const anId = fc.constantFrom(...IDS);
const aName = fc.record({ priority: fc.constantFrom(...PRIORITIES.slice(0, 3)), zone: fc.constantFrom('a', 'b', 'c') });
const aPause = fc.oneof(fc.nat(20), fc.constant(Infinity));
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), id: anId, name: aName }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: anId }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('rest' as const), id: anId, name: aName, pauseMs: aPause }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), elapsedMs: fc.nat(10) }) },
);

/** The same in the plainest words: lists that are searched and sorted each time. */
class Model {
  waiting: { readonly id: string; readonly name: LaneName }[] = [];
  /** When a lane joined the end of the round, and until when it rests. */
  lanes: { readonly name: LaneName; joined: number; untilMs: number; rested: number; back: string[] }[] = [];
  #count = 0;

  apply(each: Act, nowMs: number): string | undefined {
    if (each.kind === 'take') return this.#take(nowMs);
    if (each.kind === 'delete') this.#remove(each.id);
    if (each.kind === 'put') {
      const current = this.waiting.find(({ id }) => id === each.id);
      if (current && isSame(current.name, each.name)) return undefined;
      this.#remove(each.id);
      this.waiting.push(each);
      this.#lane(each.name);
    }
    if (each.kind === 'rest') {
      this.#remove(each.id);
      const own = this.#lane(each.name);
      this.waiting.splice(this.waiting.findIndex(({ id }) => id === own.back.at(-1)) + 1, 0, each);
      own.back.push(each.id);
      own.untilMs = nowMs + each.pauseMs;
      own.rested = this.#count++;
    }
    return undefined;
  }

  nextMs(nowMs: number): number | undefined {
    if (this.lanes.length === 0) return undefined;
    this.#wake(nowMs);
    return Math.max(nowMs, Math.min(...this.lanes.map(({ untilMs }) => untilMs)));
  }

  ahead(id: string): number | undefined {
    const current = this.waiting.find((each) => each.id === id);
    return current && this.waiting.filter(({ name }) => isSame(name, current.name)).indexOf(current);
  }

  #take(nowMs: number): string | undefined {
    this.#wake(nowMs);
    const [next] = this.lanes
      .filter(({ untilMs }) => untilMs === -Infinity)
      .toSorted((a, b) => rank(a.name) - rank(b.name) || a.joined - b.joined);
    if (next === undefined) return undefined;
    next.joined = this.#count++;
    const id = this.waiting.find(({ name }) => isSame(name, next.name))!.id;
    this.#remove(id);
    return id;
  }

  #wake(nowMs: number): void {
    const due = this.lanes.filter(({ untilMs }) => untilMs !== -Infinity && untilMs <= nowMs);
    for (const each of due.toSorted((a, b) => a.untilMs - b.untilMs || a.rested - b.rested)) {
      each.untilMs = -Infinity;
      each.back = [];
      each.joined = this.#count++;
    }
  }

  #remove(id: string): void {
    this.waiting = this.waiting.filter((each) => each.id !== id);
    for (const each of this.lanes) each.back = each.back.filter((other) => other !== id);
    this.lanes = this.lanes.filter(({ name }) => this.waiting.some((each) => isSame(each.name, name)));
  }

  #lane(name: LaneName): Model['lanes'][number] {
    const known = this.lanes.find((each) => isSame(each.name, name));
    if (known) return known;
    this.lanes.push({ name, joined: this.#count++, untilMs: -Infinity, rested: 0, back: [] });
    return this.lanes.at(-1)!;
  }
}

function isSame(one: LaneName, other: LaneName): boolean {
  return one.priority === other.priority && one.zone === other.zone;
}

function rank({ priority }: LaneName): number {
  return PRIORITIES.indexOf(priority);
}

test('whatever is put, deleted, taken and rested, it answers like plain lists', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 150 }), (acts) => {
      const lanes = new Lanes<string>();
      const model = new Model();
      let nowMs = NOW_MS;
      for (const each of acts) {
        if (each.kind === 'pass') nowMs += each.elapsedMs;
        expect(perform(lanes, each, nowMs)).toBe(model.apply(each, nowMs));
        expect(lanes.nextMs(nowMs)).toBe(model.nextMs(nowMs));
        expect(lanes.size).toBe(model.waiting.length);
        expect(IDS.map((id) => lanes.ahead(id))).toEqual(IDS.map((id) => model.ahead(id)));
      }
    }),
    { numRuns: 300 },
  );
});

function perform(lanes: Lanes<string>, each: Act, nowMs: number): string | undefined {
  if (each.kind === 'take') return lanes.take(nowMs);
  if (each.kind === 'delete') lanes.delete(each.id);
  if (each.kind === 'put') lanes.put(each.id, each.name);
  if (each.kind === 'rest') lanes.rest(each.id, each.name, nowMs + each.pauseMs);
  return undefined;
}
