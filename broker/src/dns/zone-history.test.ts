import { describe, expect, test } from 'vitest';
import { linesOf, randomChanges } from './example-changes.ts';
import { exampleSnapshot, exampleZone } from './example-zone.ts';
import type { RecordSet } from './zone.ts';
import { ZoneHistory, type Delta } from './zone-history.ts';

const SEEDS = [1, 2, 3, 4, 5];
const PLENTY = 10_000;

function allSets(history: ZoneHistory): readonly RecordSet[] {
  return [...history.zone.nodes.values()].flatMap(({ sets }) => sets);
}

function withoutSoa(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !/ SOA \d+$/.test(line));
}

function play(lines: readonly string[], deltas: readonly Delta[]): readonly string[] {
  const present = new Set(withoutSoa(lines));
  for (const { removed, added } of deltas) {
    // RFC 1995 §4: what goes must be there, and what comes must not.
    for (const line of linesOf(removed)) expect({ line, was: present.delete(line) }).toEqual({ line, was: true });
    for (const line of linesOf(added)) {
      expect({ line, was: present.has(line) }).toEqual({ line, was: false });
      present.add(line);
    }
  }
  return [...present].toSorted();
}

describe('the changes since a serial', () => {
  test.each(SEEDS)('lead from what the zone was to what it is, seed %d', (seed) => {
    const history = new ZoneHistory(exampleZone(), PLENTY);
    const next = randomChanges(seed, 8);
    const then: { serial: number; lines: readonly string[] }[] = [];
    for (let count = 0; count < 100; count++) {
      then.push({ serial: history.zone.serial, lines: linesOf(allSets(history)) });
      history.apply(next());
    }
    const now = withoutSoa(linesOf(allSets(history)));
    for (const { serial, lines } of then) {
      const deltas = history.since(serial);
      expect(deltas?.[0]?.fromSerial).toBe(serial);
      expect(deltas?.at(-1)?.toSerial).toBe(history.zone.serial);
      expect(deltas!.slice(1).map(({ fromSerial }) => fromSerial)).toEqual(
        deltas!.slice(0, -1).map(({ toSerial }) => toSerial),
      );
      expect(play(lines, deltas!)).toEqual(now);
    }
  });

  test('are none for the newest, and unknown for a serial that never was', () => {
    const history = new ZoneHistory(exampleZone(), PLENTY);
    expect(history.since(7)).toEqual([]);
    expect(history.since(6)).toBeUndefined();
    expect(history.since(8)).toBeUndefined();
  });

  test('go over the end of the numbers', () => {
    const history = new ZoneHistory(exampleZone({ serial: 0xffff_ffff }), PLENTY);
    const next = randomChanges(1, 1);
    history.apply(next());
    history.apply(next());
    expect(history.since(0xffff_ffff)?.map(({ toSerial }) => toSerial)).toEqual([1, 2]);
  });

  test('are forgotten after so many', () => {
    const history = new ZoneHistory(exampleZone(), 10);
    const next = randomChanges(1, 8);
    for (let count = 0; count < 100; count++) history.apply(next());
    expect(history.since(history.zone.serial - 10)).toHaveLength(10);
    expect(history.since(history.zone.serial - 12)).toBeUndefined();
  });

  test('are unknown where records changed under a serial that was out already', () => {
    const history = new ZoneHistory(exampleZone(), PLENTY);
    const change = { apex: exampleSnapshot.apex, clear: [], remove: [], add: [] };
    history.apply({ ...change, serial: 8 });
    expect(history.since(7)).toHaveLength(1);
    const add = [{ owner: `late.${exampleSnapshot.apex}`, type: 'A', data: '10.0.0.9' } as const];
    history.apply({ ...change, serial: 8, add });
    expect(history.since(7)).toBeUndefined();
    // The same again changes nothing, so that it costs nothing.
    history.apply({ ...change, serial: 9 });
    history.apply({ ...change, serial: 9, add });
    expect(history.since(8)).toHaveLength(1);
  });
});

describe('the whole zone', () => {
  test.each(SEEDS)('is that of one moment, each record once, whatever changes meanwhile, seed %d', (seed) => {
    const history = new ZoneHistory(exampleZone(), PLENTY);
    const next = randomChanges(seed, 8);
    for (let round = 0; round < 40; round++) {
      history.apply(next());
      const { serial } = history.zone;
      const expected = linesOf(allSets(history));
      const got: RecordSet[] = [];
      for (const set of history.whole()) {
        got.push(set);
        for (let changes = got.length % 3; changes > 0; changes--) history.apply(next());
      }
      expect([got[0], got.at(-1)]).toEqual([
        expect.objectContaining({ kind: 'soa', serial }),
        expect.objectContaining({ kind: 'soa', serial }),
      ]);
      expect(linesOf(got.slice(1))).toEqual(expected);
    }
  });

  test('of many at once is each of its own moment', () => {
    const history = new ZoneHistory(exampleZone(), PLENTY);
    const next = randomChanges(9, 8);
    const transfers = Array.from({ length: 5 }, () => {
      history.apply(next());
      const sets = history.whole();
      return { expected: linesOf(allSets(history)), got: [sets.next().value!], sets };
    });
    for (let step = 0; step < 40; step++) {
      for (const { got, sets } of transfers) {
        const { value } = sets.next();
        if (value) got.push(value);
      }
      history.apply(next());
    }
    for (const { expected, got } of transfers) expect(linesOf(got.slice(1))).toEqual(expected);
  });
});
