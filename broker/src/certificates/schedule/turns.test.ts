import { describe, expect, test } from 'vitest';
import type { Bucket } from '../budget/bucket.ts';
import type { Short } from '../budget/placement-wish.ts';
import type { Order, OrderPurpose, OrderState, OrderStateKind } from '../order.ts';
import { Turns } from './turns.ts';

const NOW_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ZONE = 'devices.example.com';

const FIRST: OrderPurpose = { kind: 'first' };
const ASLEEP: OrderPurpose = { kind: 're-enrolment' };

function renewal(leftMs: number): OrderPurpose {
  return { kind: 'renewal', expiresAtMs: NOW_MS + leftMs };
}

type OpenKind = Exclude<OrderStateKind, 'issued'>;

function stateOf(kind: OpenKind, notBeforeMs = NOW_MS): OrderState {
  const pace = { notBeforeMs, tries: 0 };
  const atCa = { orderUrl: 'https://ca.test/1', challenges: [], ...pace };
  switch (kind) {
    case 'waiting':
    case 'ordering':
      return { kind, ...pace };
    case 'clearing':
      return { kind, challenges: [], aftermath: { kind: 'again', notBeforeMs }, ...pace };
    case 'finalizing':
      return { kind, finalizeUrl: 'https://ca.test/1/finalize', ...atCa };
    default:
      return { kind, ...atCa };
  }
}

interface Given {
  readonly kind?: OpenKind;
  readonly purpose?: OrderPurpose;
  readonly zone?: string;
  readonly notBeforeMs?: number;
}

function order(id: string, { kind = 'waiting', purpose = FIRST, zone = ZONE, notBeforeMs }: Given = {}): Order {
  const what = { id, deviceId: id, names: [`${id}.${zone}`], keyHash: id, csr: new Uint8Array(), requestedAtMs: 0 };
  return { ...what, purpose, failures: 0, state: stateOf(kind, notBeforeMs) };
}

/** Turns with a gate that opens when the test says. */
function bench() {
  const gate = {
    shutUntilMs: 0,
    placesAtMs: (): number => gate.shutUntilMs,
    actsAtMs: (): number => gate.shutUntilMs,
  };
  const turns = new Turns(gate);
  const put = (...orders: readonly Order[]): void => {
    for (const each of orders) turns.set(each, NOW_MS);
  };
  const drain = (nowMs = NOW_MS): readonly string[] => {
    const ids: string[] = [];
    for (let id = turns.next(nowMs); id !== undefined; id = turns.next(nowMs)) ids.push(id);
    return ids;
  };
  return { gate, turns, put, drain };
}

function short(bucket: Partial<Bucket>, untilMs = NOW_MS + HOUR_MS): Short {
  return { kind: 'short', bucket: { authority: 'ca', limit: 'new-orders', subject: '', ...bucket }, untilMs };
}

function ofName(limit: 'exact-set' | 'failed-authorizations', id: string): Short {
  return short({ limit, subject: `${id}.${ZONE}` });
}

describe('whose turn it is', () => {
  test('our own DNS first, then what is at the CA, then what waits for it', () => {
    const { put, drain } = bench();
    put(order('w'), order('o', { kind: 'ordering' }), order('c', { kind: 'clearing' }));
    put(order('x'), order('f', { kind: 'finalizing' }), order('p', { kind: 'publishing' }));
    expect(drain()).toEqual(['c', 'p', 'o', 'f', 'w', 'x']);
  });

  test('among those that wait the most urgent', () => {
    const { put, drain } = bench();
    put(order('asleep', { purpose: ASLEEP }), order('first'));
    put(order('renewal', { purpose: renewal(720 * HOUR_MS) }), order('expiring', { purpose: renewal(HOUR_MS) }));
    put(order('replacement', { purpose: { kind: 'replacement', expiresAtMs: NOW_MS + 720 * HOUR_MS } }));
    expect(drain()).toEqual(['expiring', 'replacement', 'renewal', 'first', 'asleep']);
  });

  test('the zones one after the other', () => {
    const { put, drain } = bench();
    put(order('a1'), order('a2'), order('a3'), order('b1', { zone: 'other.example.com' }));
    expect(drain()).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  test('nobody before the instant that was set for it', () => {
    const { turns, drain } = bench();
    const kinds = ['waiting', 'proving', 'clearing'] as const;
    for (const kind of kinds) turns.set(order(kind, { kind }), NOW_MS + 10);
    expect(drain(NOW_MS + 9)).toEqual([]);
    expect(drain(NOW_MS + 10)).toEqual(['clearing', 'proving', 'waiting']);
  });

  test('nobody twice', () => {
    const { put, drain } = bench();
    const orders = [order('w'), order('o', { kind: 'ordering' }), order('c', { kind: 'clearing' })];
    put(...orders, ...orders);
    expect(drain()).toHaveLength(3);
    expect(drain(NOW_MS + 1e12)).toEqual([]);
  });
});

describe('while the CA is away', () => {
  test('our own DNS goes on, and nothing else', () => {
    const { gate, put, drain } = bench();
    gate.shutUntilMs = NOW_MS + MINUTE_MS;
    put(order('w'), order('o', { kind: 'proving' }), order('c', { kind: 'clearing' }));
    put(order('p', { kind: 'publishing' }));
    expect(drain()).toEqual(['c', 'p']);
    expect(drain(NOW_MS + MINUTE_MS)).toEqual(['o', 'w']);
  });

  test('whoever becomes urgent meanwhile goes first when it is back', () => {
    const { gate, put, drain } = bench();
    gate.shutUntilMs = NOW_MS + 3 * HOUR_MS;
    put(order('first'), order('renewal', { purpose: renewal(50 * HOUR_MS) }));
    put(order('urgent', { purpose: renewal(HOUR_MS) }));
    expect(drain(NOW_MS + 3 * HOUR_MS)).toEqual(['renewal', 'urgent', 'first']);
  });
});

describe('a short budget', () => {
  test('of the account rests the lane, and what is as urgent in another zone or less urgent goes on', () => {
    const { turns, put, drain } = bench();
    put(order('a1'), order('a2'), order('b', { zone: 'other.example.com' }), order('asleep', { purpose: ASLEEP }));
    expect(turns.next(NOW_MS)).toBe('a1');
    turns.rest(order('a1'), short({}), NOW_MS);
    expect(drain()).toEqual(['b', 'asleep']);
    expect(drain(NOW_MS + HOUR_MS - 1)).toEqual([]);
    expect(drain(NOW_MS + HOUR_MS)).toEqual(['a1', 'a2']);
  });

  test.each([
    ['registered-domain', 'example.com'],
    ['pause', ''],
  ] as const)('by %s rests the lane, too', (limit, subject) => {
    const { turns, put, drain } = bench();
    put(order('a1'), order('a2'));
    expect(turns.next(NOW_MS)).toBe('a1');
    turns.rest(order('a1'), short({ limit, subject }), NOW_MS);
    expect(drain()).toEqual([]);
  });

  test('finds those that went together in the order in which they went', () => {
    const { turns, put, drain } = bench();
    const orders = ['a1', 'a2', 'a3', 'a4'].map((id) => order(id));
    put(...orders);
    const together = orders.slice(0, 3);
    expect(together.map(() => turns.next(NOW_MS))).toEqual(['a1', 'a2', 'a3']);
    for (const each of together) turns.rest(each, short({}), NOW_MS);
    expect(orders.map((each) => turns.outlook(each, NOW_MS))).toMatchObject([0, 1, 2, 3].map((ahead) => ({ ahead })));
    expect(drain(NOW_MS + HOUR_MS)).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  test.each(['exact-set', 'failed-authorizations'] as const)('by %s of its own name rests the order alone', (limit) => {
    const { turns, put, drain } = bench();
    put(order('a1'), order('a2'));
    expect(turns.next(NOW_MS)).toBe('a1');
    turns.rest(order('a1'), ofName(limit, 'a1'), NOW_MS);
    expect(drain()).toEqual(['a2']);
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS + HOUR_MS);
    expect(drain(NOW_MS + HOUR_MS)).toEqual(['a1']);
  });

  test('by several names of its own rests it alone', () => {
    const { turns, drain } = bench();
    const names = [`a.${ZONE}`, `*.a.${ZONE}`];
    turns.rest({ ...order('a'), names }, short({ limit: 'exact-set', subject: `*.a.${ZONE},a.${ZONE}` }), NOW_MS);
    turns.set(order('b'), NOW_MS);
    expect(drain()).toEqual(['b']);
  });

  test('of an order whose answer was lost rests it as one that waits', () => {
    const { turns, drain } = bench();
    turns.rest(order('o', { kind: 'ordering' }), short({}), NOW_MS);
    expect(drain()).toEqual([]);
    expect(drain(NOW_MS + HOUR_MS)).toEqual(['o']);
  });
});

describe('an order that takes its appliance’s new key', () => {
  test('keeps its place in the lane', () => {
    const { turns, put, drain } = bench();
    put(order('a0'), order('a1'), order('a2'));
    expect(turns.next(NOW_MS)).toBe('a0');
    turns.rest(order('a0'), short({}), NOW_MS);
    put({ ...order('a1'), keyHash: 'another' });
    expect(drain(NOW_MS + HOUR_MS)).toEqual(['a0', 'a1', 'a2']);
  });

  test('keeps its pause', () => {
    const { turns, drain } = bench();
    const paused = order('a', { notBeforeMs: NOW_MS + MINUTE_MS });
    turns.set(paused, NOW_MS + MINUTE_MS);
    turns.set({ ...paused, keyHash: 'another' }, NOW_MS + MINUTE_MS);
    expect(drain()).toEqual([]);
    expect(drain(NOW_MS + MINUTE_MS)).toEqual(['a']);
  });

  test('is judged anew when its old names were short', () => {
    const { turns, put, drain } = bench();
    turns.rest(order('a'), ofName('exact-set', 'a'), NOW_MS);
    put(order('a'));
    expect(turns.outlook(order('a'), NOW_MS)).toEqual({ kind: 'turn', ahead: 0 });
    expect(turns.waitsUntilMs(order('a'), NOW_MS)).toBeUndefined();
    expect(drain()).toEqual(['a']);
    expect(drain(NOW_MS + HOUR_MS)).toEqual([]);
  });
});

describe('a renewal that waits', () => {
  test('is moved up at the instant at which it becomes urgent, out of a lane that rests', () => {
    const { turns, put, drain } = bench();
    const later = order('later', { purpose: renewal(49 * HOUR_MS) });
    put(order('ahead', { purpose: renewal(720 * HOUR_MS) }), later);
    const head = order(turns.next(NOW_MS) ?? '', { purpose: renewal(720 * HOUR_MS) });
    turns.rest(head, short({}, NOW_MS + 10 * HOUR_MS), NOW_MS);
    const urgentAtMs = NOW_MS + HOUR_MS + 1;
    expect(turns.nextMs(NOW_MS)).toBe(urgentAtMs);
    expect(drain(urgentAtMs - 1)).toEqual([]);
    expect(drain(urgentAtMs)).toEqual(['later']);
    expect(drain(NOW_MS + 10 * HOUR_MS)).toEqual(['ahead']);
  });

  test('is moved up also when it was the one that found the budget short', () => {
    const { turns, drain } = bench();
    turns.rest(order('a', { purpose: renewal(49 * HOUR_MS) }), short({}, NOW_MS + 10 * HOUR_MS), NOW_MS);
    expect(drain(NOW_MS + HOUR_MS)).toEqual([]);
    expect(drain(NOW_MS + HOUR_MS + 1)).toEqual(['a']);
    expect(drain(NOW_MS + 10 * HOUR_MS)).toEqual([]);
  });
});

describe('why an order is not going on', () => {
  test('its own pause, in whatever state', () => {
    const { turns } = bench();
    const untilMs = NOW_MS + MINUTE_MS;
    for (const kind of ['waiting', 'ordering', 'proving', 'clearing'] as const) {
      const paused = order(kind, { kind, notBeforeMs: untilMs });
      turns.set(paused, untilMs);
      expect(turns.outlook(paused, NOW_MS)).toEqual({ kind: 'pause', untilMs });
    }
  });

  test('the CA, unless it is our own turn', () => {
    const { turns, gate, put } = bench();
    gate.shutUntilMs = NOW_MS + MINUTE_MS;
    for (const kind of ['waiting', 'ordering', 'proving', 'collecting'] as const) {
      put(order(kind, { kind }));
      expect(turns.outlook(order(kind, { kind }), NOW_MS)).toEqual({ kind: 'authority', untilMs: gate.shutUntilMs });
    }
    expect(turns.outlook(order('c', { kind: 'clearing' }), NOW_MS)).toEqual({ kind: 'turn', ahead: 0 });
    const later = order('later', { notBeforeMs: NOW_MS + HOUR_MS });
    expect(turns.outlook(later, NOW_MS)).toEqual({ kind: 'pause', untilMs: NOW_MS + HOUR_MS });
  });

  test('the budget, with how many go before it', () => {
    const { turns, put } = bench();
    put(order('a1'), order('a2'));
    expect(turns.next(NOW_MS)).toBe('a1');
    const why = short({});
    turns.rest(order('a1'), why, NOW_MS);
    const untilMs = NOW_MS + HOUR_MS;
    expect(turns.outlook(order('a1'), NOW_MS)).toEqual({ kind: 'budget', untilMs, ahead: 0, short: why });
    expect(turns.outlook(order('a2'), NOW_MS)).toEqual({ kind: 'budget', untilMs, ahead: 1, short: why });
    expect(turns.waitsUntilMs(order('a2'), NOW_MS)).toBe(untilMs);
  });

  test('the budget of its own name', () => {
    const { turns } = bench();
    const why = ofName('exact-set', 'a');
    turns.rest(order('a'), why, NOW_MS);
    const outlook = turns.outlook(order('a'), NOW_MS);
    expect(outlook).toEqual({ kind: 'budget', untilMs: NOW_MS + HOUR_MS, ahead: 0, short: why });
    expect(turns.outlook(order('a'), NOW_MS + HOUR_MS)).toEqual({ kind: 'turn', ahead: 0 });
  });

  test('its turn: behind others, and while there is no room for another act', () => {
    const { turns, put } = bench();
    put(order('a1'), order('a2'), order('a3'));
    expect(turns.outlook(order('a3'), NOW_MS)).toEqual({ kind: 'turn', ahead: 0 });
    expect(turns.next(NOW_MS)).toBe('a1');
    expect(turns.outlook(order('a3'), NOW_MS)).toEqual({ kind: 'turn', ahead: 1 });
  });

  test('its turn, when the rest of its lane is over and nobody has looked yet', () => {
    const { turns } = bench();
    turns.rest(order('a1'), short({}), NOW_MS);
    expect(turns.outlook(order('a1'), NOW_MS + HOUR_MS - 1)).toMatchObject({ kind: 'budget' });
    expect(turns.outlook(order('a1'), NOW_MS + HOUR_MS)).toEqual({ kind: 'turn', ahead: 0 });
  });
});

describe('when to look again', () => {
  test('never when nothing waits', () => {
    const { turns, put, drain } = bench();
    expect(turns.nextMs(NOW_MS)).toBeUndefined();
    put(order('a'));
    drain();
    expect(turns.nextMs(NOW_MS)).toBeUndefined();
  });

  test('now, when somebody can go', () => {
    const { turns, put } = bench();
    put(order('a'), order('b'));
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS);
    turns.next(NOW_MS);
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS);
  });

  test('when the first pause or rest is over, or the CA is back', () => {
    const { turns, gate } = bench();
    turns.rest(order('short'), short({}), NOW_MS);
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS + HOUR_MS);
    turns.set(order('paused'), NOW_MS + 30);
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS + 30);
    turns.set(order('at the CA', { kind: 'proving' }), NOW_MS + 20);
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS + 20);
    gate.shutUntilMs = NOW_MS + 2 * HOUR_MS;
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS + 2 * HOUR_MS);
    turns.set(order('ours', { kind: 'clearing' }), NOW_MS + 40);
    expect(turns.nextMs(NOW_MS)).toBe(NOW_MS + 40);
  });

  test('a timer at each of these instants finds somebody', () => {
    const { turns, put, drain } = bench();
    put(order('a'), order('b', { purpose: renewal(60 * HOUR_MS) }));
    turns.rest(order('c', { purpose: renewal(60 * HOUR_MS) }), short({}, NOW_MS + 20 * HOUR_MS), NOW_MS);
    turns.set(order('d', { kind: 'proving' }), NOW_MS + 5);
    const gone: string[] = [...drain()];
    for (let atMs = turns.nextMs(NOW_MS); atMs !== undefined; atMs = turns.nextMs(atMs)) {
      const now = drain(atMs);
      expect(now).not.toEqual([]);
      gone.push(...now);
    }
    expect(gone.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });
});
