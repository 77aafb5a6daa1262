import { describe, expect, test } from 'vitest';
import type { Happening, HappeningKind } from '../world/happening.ts';
import { EventHash, lineOf } from './event-hash.ts';

const at = { atMs: 1_000, appliance: 3 } as const;

/** Every kind of fact, and the line that stands for it. */
const LINES: Readonly<Record<HappeningKind, readonly (readonly [Happening, string])[]>> = {
  powered: [
    [{ ...at, kind: 'powered', isOn: true, why: 'first boot' }, '1000 powered #3 on first boot'],
    [{ ...at, kind: 'powered', isOn: false, why: 'shelf' }, '1000 powered #3 off shelf'],
  ],
  connected: [[{ ...at, kind: 'connected' }, '1000 connected #3']],
  disconnected: [[{ ...at, kind: 'disconnected', why: 'line' }, '1000 disconnected #3 line']],
  said: [[{ ...at, kind: 'said', what: 'csr' }, '1000 said #3 csr']],
  told: [[{ ...at, kind: 'told', what: 'state', about: 'request' }, '1000 told #3 state request']],
  problem: [[{ ...at, kind: 'problem', code: 'broker-refused' }, '1000 problem #3 broker-refused']],
  'order-opened': [[{ ...at, kind: 'order-opened', order: 'o1', keyHash: 'k1' }, '1000 order-opened #3']],
  'order-closed': [[{ ...at, kind: 'order-closed', order: 'o1' }, '1000 order-closed #3']],
  installed: [
    [{ ...at, kind: 'installed', notAfterMs: 9, isFirst: true, waitedMs: 4.4 }, '1000 installed #3 first waited 4'],
    [
      { ...at, kind: 'installed', notAfterMs: 9, isFirst: false, waitedMs: 4.6, marginMs: 7 },
      '1000 installed #3 renewal waited 5',
    ],
  ],
  expired: [
    [{ ...at, kind: 'expired' }, '1000 expired #3'],
    [{ ...at, kind: 'expired', excuse: 'CA down' }, '1000 expired #3 CA down'],
  ],
  moved: [[{ ...at, kind: 'moved' }, '1000 moved #3']],
  published: [[{ ...at, kind: 'published', waitedMs: 12 }, '1000 published #3 waited 12']],
  'flash-written': [[{ ...at, kind: 'flash-written', bytes: 640 }, '1000 flash-written #3 640']],
  authority: [
    [{ ...at, kind: 'authority', what: 'ordered', about: 'new' }, '1000 authority #3 ordered new'],
    [{ atMs: 1_000, kind: 'authority', what: 'limited', about: 'newOrders' }, '1000 authority limited newOrders'],
    [{ ...at, kind: 'authority', what: 'ordered', about: 'new', ca: 2 }, '1000 authority #3 CA 2 ordered new'],
    // Its `about` is the hash of a key.
    [{ ...at, kind: 'authority', what: 'certified', about: 'ab12' }, '1000 authority #3 certified'],
  ],
  broker: [[{ atMs: 1_000, kind: 'broker', what: 'killed' }, '1000 broker killed']],
  event: [[{ atMs: 1_000, kind: 'event', what: 'shelf', phase: 'ends' }, '1000 event shelf ends']],
};

describe('what a fact adds', () => {
  test.each(Object.values(LINES).flat())('%o', (happening, line) => {
    expect(lineOf(happening)).toBe(line);
  });

  test.each([
    ['keys', { ...at, kind: 'order-opened', order: 'o1', keyHash: 'k2' }, 'order-opened'],
    ['ends of certificates', { ...at, kind: 'installed', notAfterMs: 10, isFirst: true, waitedMs: 4.4 }, 'installed'],
    ['instants that differ by the last bit', { ...at, atMs: 1_000.2, kind: 'moved' }, 'moved'],
  ] as const)('%s differ from run to run and add nothing', (_, happening, kind) => {
    expect(lineOf(happening)).toBe(LINES[kind][0]![1]);
  });

  test('the first appliance has a number, too', () => {
    expect(lineOf({ ...at, appliance: 0, kind: 'moved' })).toBe('1000 moved #0');
  });
});

describe('the fingerprint', () => {
  const facts = Object.values(LINES)
    .flat()
    .map(([happening]) => happening);

  test('is the same for the same facts, and another for others, fewer, or in another order', () => {
    const digest = hashOf(facts);
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf(facts)).toBe(digest);
    const others = [facts.slice(1), facts.slice(0, -1), facts.toReversed(), []].map(hashOf);
    expect(new Set([digest, ...others]).size).toBe(5);
  });

  test('looking at it in between changes nothing', () => {
    const hash = new EventHash();
    for (const happening of facts) {
      hash.add(happening);
      hash.digest();
    }
    expect(hash.digest()).toBe(hashOf(facts));
    expect(hash.count).toBe(facts.length);
  });

  test('what lies many batches back still counts', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ ...facts[0]!, atMs: index }));
    expect(hashOf(many)).not.toBe(hashOf(many.with(0, { ...facts[0]!, atMs: 77 })));
  });
});

function hashOf(happenings: readonly Happening[]): string {
  const hash = new EventHash();
  for (const happening of happenings) hash.add(happening);
  return hash.digest();
}
