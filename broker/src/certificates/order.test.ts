import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '@lanyard/sdk/kernel';
import type { Authorization, AuthorityOrder } from './authority.ts';
import { next } from './order-progress.ts';
import { failureOf } from './order-setback.ts';
import { isReadBack } from './order.ts';
import type { Order, OrderEvent, OrderEventKind, OrderState, OrderStateKind } from './order.ts';
import { DAY_MS, MINUTE_MS, NOW_MS, STATES, challenges, failed, orderIn } from './test-orders.ts';

const EVENTS: { readonly [Kind in OrderEventKind]: Extract<OrderEvent, { kind: Kind }> } = {
  placed: { kind: 'placed', placement: { authority: 'ca', kind: 'new' } },
  ordered: { kind: 'ordered', order: atAuthority('pending') },
  'order-read': { kind: 'order-read', order: atAuthority('ready'), authorizations: [] },
  published: { kind: 'published' },
  triggered: { kind: 'triggered' },
  finalized: { kind: 'finalized', order: atAuthority('processing') },
  pending: { kind: 'pending', retryAfterMs: undefined },
  collected: { kind: 'collected', fingerprint: 'f' },
  cleared: { kind: 'cleared' },
  left: { kind: 'left', message: 'the CA is away' },
  failed: failed('authority-validation-failed'),
};

const STATE_KINDS = Object.values(STATES).map(({ kind }) => kind);
const EVENT_KINDS = Object.values(EVENTS).map(({ kind }) => kind);

function atAuthority(status: AuthorityOrder['status']): AuthorityOrder {
  return { url: 'https://ca/order/1', status, authorizationUrls: [], finalizeUrl: 'https://ca/finalize/1' };
}

function after(state: OrderState, event: OrderEvent, nowMs = NOW_MS): Order {
  return next(orderIn(state), event, nowMs, 0);
}

/** How long after now the next act is due. */
function pauseOf({ state }: Order): number {
  return 'notBeforeMs' in state ? state.notBeforeMs - NOW_MS : Number.NaN;
}

function repeatOf(tries: number, jitter: number): number {
  return pauseOf(next(orderIn({ ...STATES.ordering, tries }), failed('authority-unreachable'), NOW_MS, jitter));
}

function isErrorCode(key: string): key is ErrorCode {
  return Object.hasOwn(ERRORS, key);
}

/** `-`: the event does not belong to the state and changes nothing. */
type Cell = OrderStateKind | '-';

const TABLE: { readonly [State in OrderStateKind]: { readonly [Event in OrderEventKind]: Cell } } = {
  waiting: row({ placed: 'ordering', left: '-', failed: '-' }),
  ordering: row({ placed: 'ordering', ordered: 'authorizing', left: 'waiting' }),
  authorizing: row({ 'order-read': 'finalizing' }),
  publishing: row({ published: 'triggering' }),
  triggering: row({ triggered: 'proving' }),
  proving: row({ 'order-read': 'finalizing', pending: 'proving' }),
  finalizing: row({ finalized: 'collecting' }),
  collecting: row({ 'order-read': 'finalizing', pending: 'collecting', collected: 'clearing' }),
  clearing: row({ cleared: 'issued', left: '-' }),
  issued: row({ left: '-', failed: '-' }),
};

/** Whatever is not named changes nothing, but a failure that is not passing and leaving the CA lead to clearing. */
function row(cells: { readonly [Event in OrderEventKind]?: Cell }): { readonly [Event in OrderEventKind]: Cell } {
  return {
    placed: '-',
    ordered: '-',
    'order-read': '-',
    published: '-',
    triggered: '-',
    finalized: '-',
    pending: '-',
    collected: '-',
    cleared: '-',
    left: 'clearing',
    failed: 'clearing',
    ...cells,
  };
}

describe('every event in every state', () => {
  for (const state of STATE_KINDS) {
    for (const event of EVENT_KINDS) {
      const expected = TABLE[state][event];
      test(`${state} + ${event} → ${expected === '-' ? 'no change' : expected}`, () => {
        const before = orderIn(STATES[state]);
        const order = next(before, EVENTS[event], NOW_MS, 0);
        expect(order === before).toBe(expected === '-');
        expect(order.state.kind).toBe(expected === '-' ? state : expected);
      });
    }
  }
});

describe('an order’s placement', () => {
  const placement = { authority: 'ca', kind: 'new', replaces: 'a.b' } as const;
  const placed = (state: OrderState): Order => ({ ...orderIn(state), placement });

  test('is with it from the spending to its end', () => {
    expect(after(STATES.waiting, { kind: 'placed', placement })).toMatchObject({
      placement,
      state: { kind: 'ordering', notBeforeMs: NOW_MS, tries: 0 },
    });
    for (const [state, event] of [
      [STATES.ordering, EVENTS.ordered],
      [STATES.publishing, EVENTS.published],
      [STATES.proving, EVENTS['order-read']],
      [STATES.finalizing, EVENTS.finalized],
      [STATES.proving, failed('authority-unreachable')],
    ] as const) {
      expect(next(placed(state), event, NOW_MS, 0).placement).toEqual(placement);
    }
  });

  test('ends with the certificate, and when the order begins anew', () => {
    expect(next(placed(STATES.collecting), EVENTS.collected, NOW_MS, 0).placement).toBeUndefined();
    expect(next(placed(STATES.proving), EVENTS.failed, NOW_MS, 0).placement).toBeUndefined();
  });

  test('is made anew when the answer to newOrder was lost, and the count of tries goes on', () => {
    const again = next(
      placed(STATES.ordering),
      { kind: 'placed', placement: { ...placement, kind: 'renewal' } },
      NOW_MS,
      0,
    );
    expect(again).toMatchObject({ placement: { kind: 'renewal' }, state: { kind: 'ordering', tries: 2 } });
  });
});

describe('newOrder refused', () => {
  const placement = { authority: 'ca', kind: 'new', replaces: 'a.b' } as const;
  const refusedWith = (code: ErrorCode): Order =>
    next({ ...orderIn(STATES.ordering, 1), placement }, failed(code, 60_000), NOW_MS, 0);

  test('by a limit: it waits for the budget, which knows until when, and has not failed', () => {
    const order = refusedWith('authority-rate-limited');
    expect(order.state).toEqual({ kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 });
    expect(order).toMatchObject({ failures: 1, lastFailure: { code: 'authority-rate-limited' } });
    expect(order.placement).toBeUndefined();
  });

  test('as a replacement: it is ordered without at once, and has not failed', () => {
    const order = refusedWith('authority-replacement-refused');
    expect(order.state).toEqual({ kind: 'waiting', notBeforeMs: NOW_MS, tries: 0, isPlain: true });
    expect(order.failures).toBe(1);
    expect(order.lastFailure).toBeUndefined();
    expect(order.placement).toBeUndefined();
  });
});

describe('what a crash may lose', () => {
  test.each(STATE_KINDS)('%s', (kind) => {
    const isLost = ['triggering', 'proving', 'finalizing', 'collecting'].includes(kind);
    expect(isReadBack(orderIn(STATES[kind]))).toBe(isLost);
  });
});

describe('the CA’s view of an order', () => {
  type Reading = 'authorizing' | 'proving' | 'collecting';
  const expected: Record<Reading, Record<AuthorityOrder['status'], OrderStateKind>> = {
    authorizing: {
      pending: 'publishing',
      ready: 'finalizing',
      processing: 'collecting',
      valid: 'collecting',
      invalid: 'clearing',
    },
    proving: {
      pending: 'proving',
      ready: 'finalizing',
      processing: 'collecting',
      valid: 'collecting',
      invalid: 'clearing',
    },
    collecting: {
      pending: 'collecting',
      ready: 'finalizing',
      processing: 'collecting',
      valid: 'collecting',
      invalid: 'clearing',
    },
  };
  for (const state of ['authorizing', 'proving', 'collecting'] as const) {
    for (const status of ['pending', 'ready', 'processing', 'valid', 'invalid'] as const) {
      test(`an order that is ${status} leads from ${state} to ${expected[state][status]}`, () => {
        const read = { kind: 'order-read', order: atAuthority(status), authorizations: [] } as const;
        expect(after(STATES[state], read).state.kind).toBe(expected[state][status]);
      });
    }
  }

  test('only authorizations that are still to be proven have their record published', () => {
    const record = { kind: 'txt', name: '_acme-challenge.b', value: 'w' } as const;
    const proof = { challengeKind: 'dns-01', challenge: { url: 'https://ca/chall/2', record } } as const;
    const authorization: Authorization = { url: 'https://ca/authz/2', name: 'b', status: 'pending', ...proof };
    const authorizations = [
      { ...authorization, url: 'https://ca/authz/1', status: 'valid' } as const,
      authorization,
      { url: 'https://ca/authz/3', name: 'c', status: 'pending', challengeKind: 'dns-01' } as const,
    ];
    const order = after(STATES.authorizing, { kind: 'order-read', order: atAuthority('pending'), authorizations });
    expect(order.state).toEqual({
      kind: 'publishing',
      orderUrl: 'https://ca/order/1',
      challenges: [{ ...record, authorizationUrl: 'https://ca/authz/2', challengeUrl: 'https://ca/chall/2' }],
      notBeforeMs: NOW_MS,
      tries: 0,
    });
  });

  test('why the CA declared an order invalid is kept for people', () => {
    const problem = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it' };
    const order = { ...atAuthority('invalid'), problem };
    const { lastFailure } = after(STATES.proving, { kind: 'order-read', order, authorizations: [] });
    expect(lastFailure).toEqual({
      code: 'authority-rejected-name',
      message: 'CAA forbids it (urn:ietf:params:acme:error:caa)',
      atMs: NOW_MS,
    });
    expect(failureOf(undefined, 'nobody knows')).toMatchObject({
      code: 'authority-validation-failed',
      message: 'nobody knows',
    });
  });
});

describe('polling', () => {
  test('asks again when the CA said, within bounds', () => {
    expect(pauseOf(after(STATES.proving, { kind: 'pending', retryAfterMs: 3_000 }))).toBe(3_000);
    expect(pauseOf(after(STATES.proving, { kind: 'pending', retryAfterMs: 0 }))).toBe(100);
    expect(pauseOf(after(STATES.proving, { kind: 'pending', retryAfterMs: DAY_MS }))).toBe(60_000);
    expect(pauseOf(after(STATES.proving, { kind: 'pending', retryAfterMs: undefined }))).toBe(800);
  });

  test('gives up an order that the CA never decides', () => {
    let order = orderIn({ ...STATES.collecting, tries: 0 });
    for (let polls = 0; polls < 99; polls++) order = next(order, EVENTS.pending, NOW_MS, 0);
    expect(order.state.kind).toBe('collecting');
    order = next(order, EVENTS.pending, NOW_MS, 0);
    expect(order).toMatchObject({ failures: 1, state: { kind: 'clearing', challenges } });
  });

  test('gives up an order that falls back to ready after every finalize', () => {
    const pausesMs: number[] = [];
    let order = orderIn({ ...STATES.finalizing, tries: 0 });
    for (let round = 0; round < 200 && order.state.kind !== 'clearing'; round++) {
      const before = order.state;
      order = next(order, before.kind === 'finalizing' ? EVENTS.finalized : EVENTS['order-read'], NOW_MS, 0);
      if (order.state.kind === 'finalizing') pausesMs.push(pauseOf(order));
    }
    expect(order).toMatchObject({ failures: 1, lastFailure: { code: 'authority-protocol' } });
    expect(Math.min(...pausesMs)).toBeGreaterThan(0);
  });
});

describe('failures', () => {
  const PASSING: readonly ErrorCode[] = [
    'authority-unreachable',
    'authority-rate-limited',
    'dns-serving-failed',
    'store-failed',
    'stopped',
  ];

  for (const code of PASSING) {
    test(`${code} repeats the same act later, at the same order`, () => {
      const order = after(STATES.finalizing, failed(code));
      expect(order.failures).toBe(0);
      expect(order.lastFailure).toEqual({ code, message: 'it went wrong', atMs: NOW_MS });
      expect(order.state).toEqual({ ...STATES.finalizing, notBeforeMs: NOW_MS + 10_000, tries: 3 });
    });
  }

  test('every other failure clears the records and begins again', () => {
    for (const code of Object.keys(ERRORS).filter(isErrorCode)) {
      if (PASSING.includes(code)) continue;
      const order = after(STATES.proving, failed(code));
      expect(order).toMatchObject({ failures: 1, state: { kind: 'clearing', challenges, notBeforeMs: NOW_MS } });
    }
  });

  test('an act that fails in passing is repeated after 5 s, doubling up to half an hour, spread by the dice', () => {
    expect([0, 1, 2, 20, 90].map((tries) => repeatOf(tries, 0))).toEqual([2_500, 5_000, 10_000, 900_000, 900_000]);
    expect([0, 90].map((tries) => repeatOf(tries, 0.999_999))).toEqual([4_999, 1_799_999]);
  });

  test('the CA’s wish to wait is kept, up to a week', () => {
    const waits = [DAY_MS, Number.MAX_SAFE_INTEGER, -5].map((retryAfterMs) =>
      pauseOf(after(STATES.proving, failed('authority-rate-limited', retryAfterMs))),
    );
    expect(waits).toEqual([DAY_MS, 7 * DAY_MS, 10_000]);
  });

  test('a new order is made after 1, 10 and 100 minutes, then daily', () => {
    const pauses = [0, 1, 2, 3, 50].map((failures) => {
      const { state } = next(orderIn(STATES.proving, failures), EVENTS.failed, NOW_MS, 0);
      return state.kind === 'clearing' && state.aftermath.kind === 'again' ? state.aftermath.notBeforeMs - NOW_MS : 0;
    });
    expect(pauses).toEqual([1, 10, 100, 1_440, 1_440].map((minutes) => minutes * MINUTE_MS));
  });

  test('a refusal for good is asked about again daily', () => {
    for (const code of ['authority-refused', 'authority-rejected-name'] as const) {
      const { state } = after(STATES.ordering, failed(code));
      expect(state).toMatchObject({ aftermath: { kind: 'again', notBeforeMs: NOW_MS + DAY_MS } });
    }
  });

  test('clearing is repeated for ever, whatever fails, and remembers what follows', () => {
    let order = orderIn(STATES.clearing);
    for (let tries = 0; tries < 500; tries++) order = next(order, failed('internal'), NOW_MS, 0.5);
    expect(order).toMatchObject({ failures: 0, state: { kind: 'clearing', challenges, tries: 502 } });
    expect(next(order, EVENTS.cleared, NOW_MS, 0).state).toEqual({ kind: 'issued', fingerprint: 'f' });
  });

  test('an order that waited for its records to go is due at once when its pause is over by then', () => {
    const clearing = { ...STATES.clearing, aftermath: { kind: 'again', notBeforeMs: NOW_MS - DAY_MS } } as const;
    expect(after(clearing, EVENTS.cleared).state).toEqual({ kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 });
  });
});

test.each(['proving', 'collecting'] as const)(
  '%s, a CA that takes its time is asked for hours, less and less often',
  (kind) => {
    let order = orderIn({ ...STATES[kind], tries: 0 });
    let nowMs = NOW_MS;
    let polls = 0;
    while (order.state.kind === kind && 'notBeforeMs' in order.state) {
      order = next(order, { kind: 'pending', retryAfterMs: 3_000 }, nowMs, 0);
      if ('notBeforeMs' in order.state && order.state.kind === kind) nowMs = order.state.notBeforeMs;
      polls += 1;
    }
    expect(nowMs - NOW_MS).toBeGreaterThan(5 * 60 * MINUTE_MS);
    expect(nowMs - NOW_MS).toBeLessThan(7 * 60 * MINUTE_MS);
    expect(polls).toBeLessThanOrEqual(100);
  },
);
