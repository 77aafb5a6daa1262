/** What must hold of an order after whatever happens to it, in whatever order. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import type { Authorization, AuthorityOrder } from './authority.ts';
import { next } from './order-progress.ts';
import { challengesOf, isClosed } from './order.ts';
import type { Order, OrderEvent, OrderStateKind } from './order.ts';

const NOW_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;

const start: Order = {
  id: 'o',
  deviceId: 'd',
  names: ['a.devices.example.com'],
  keyHash: 'k',
  csr: Uint8Array.of(1),
  requestedAtMs: 0,
  failures: 0,
  state: { kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 },
};

const placed: OrderEvent = { kind: 'placed', placement: { authority: 'ca', kind: 'new' } };
const published: OrderEvent = { kind: 'published' };
const triggered: OrderEvent = { kind: 'triggered' };
const collected: OrderEvent = { kind: 'collected', fingerprint: 'f' };
const cleared: OrderEvent = { kind: 'cleared' };

const code = fc.constantFrom<ErrorCode>(
  'authority-unreachable',
  'authority-rate-limited',
  'authority-validation-failed',
  'authority-order-lost',
  'authority-refused',
  'dns-serving-failed',
  'internal',
);
const retryAfterMs = fc.option(fc.integer({ min: -1_000, max: Number.MAX_SAFE_INTEGER }), { nil: undefined });
const status = fc.constantFrom<AuthorityOrder['status']>('pending', 'ready', 'processing', 'valid', 'invalid');
const order = fc.tuple(status, retryAfterMs).map(([each, pause]) => atAuthority(each, pause));
const authorizationStatus = fc.constantFrom<Authorization['status']>('pending', 'valid', 'expired');
const authorizations = fc.array(fc.tuple(fc.nat(3), authorizationStatus).map(authorizationOf), { maxLength: 3 });
const event = fc.oneof(
  fc.constantFrom(placed, published, triggered, collected, cleared),
  order.map((each): OrderEvent => ({ kind: 'ordered', order: each })),
  order.map((each): OrderEvent => ({ kind: 'finalized', order: each })),
  fc.tuple(order, authorizations).map(([each, all]): OrderEvent => {
    return { kind: 'order-read', order: each, authorizations: all };
  }),
  retryAfterMs.map((pause): OrderEvent => ({ kind: 'pending', retryAfterMs: pause })),
  fc.tuple(code, retryAfterMs).map(([each, pause]): OrderEvent => {
    return { kind: 'failed', code: each, message: 'it went wrong', retryAfterMs: pause };
  }),
);

interface Step {
  readonly event: OrderEvent;
  readonly elapsedMs: number;
  readonly jitter: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  event,
  elapsedMs: fc.nat(10 * DAY_MS),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

function atAuthority(each: AuthorityOrder['status'], pause?: number): AuthorityOrder {
  const urls = { url: 'https://ca/order/1', authorizationUrls: [], finalizeUrl: 'https://ca/finalize/1' };
  return { ...urls, status: each, ...(pause === undefined ? {} : { retryAfterMs: pause }) };
}

function authorizationOf([n, each]: readonly [number, Authorization['status']]): Authorization {
  const record = { kind: 'txt', name: `_acme-challenge.${n}`, value: `v${n}` } as const;
  return { url: `a${n}`, name: `${n}`, status: each, challengeKind: 'dns-01', challenge: { url: `c${n}`, record } };
}

interface Passage {
  readonly before: Order;
  readonly event: OrderEvent;
  readonly after: Order;
  readonly nowMs: number;
}

function passagesOf(steps: readonly Step[]): readonly Passage[] {
  let before = start;
  let nowMs = NOW_MS;
  return steps.map(({ event: happened, elapsedMs, jitter }) => {
    nowMs += elapsedMs;
    const after = next(before, happened, nowMs, jitter);
    const passage = { before, event: happened, after, nowMs };
    before = after;
    return passage;
  });
}

/** What no single event may do, by the promise that it would break. */
const NEVER: Readonly<Record<string, (passage: Passage) => boolean>> = {
  'no record is forgotten: what may be up stays in the order until it is cleared': ({
    before,
    event: happened,
    after,
  }) => {
    if (happened.kind === 'cleared' || challengesOf(before).length === 0) return false;
    return challengesOf(after) !== challengesOf(before);
  },
  'clearing is left only when the records are gone, and nothing else leads to issued': ({
    before,
    event: happened,
    after,
  }) => {
    const isClearing = before.state.kind === 'clearing';
    const hasLeft = isClearing && after.state.kind !== 'clearing';
    const hasClosed = isClosed(after) && !isClosed(before);
    return (hasLeft && happened.kind !== 'cleared') || (hasClosed && !isClearing);
  },
  'what is next is never due before now, and never later than in a week': ({ before, after, nowMs }) => {
    if (after === before || !('notBeforeMs' in after.state)) return false;
    const pauseMs = after.state.notBeforeMs - nowMs;
    return !(pauseMs >= 0 && pauseMs <= 7 * DAY_MS);
  },
  'whose order it is, for which names and which key never changes, and failures only grow': ({ before, after }) => {
    const isSame = (['id', 'deviceId', 'names', 'keyHash', 'csr', 'requestedAtMs'] as const).every(
      (fact) => after[fact] === before[fact],
    );
    return !isSame || after.failures < before.failures;
  },
  'a closed order stays closed': ({ before, after }) => isClosed(before) && after !== before,
};

for (const [promise, isBroken] of Object.entries(NEVER)) {
  // oxlint-disable-next-line vitest/valid-title -- every key of the table is a title
  test(promise, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        expect(passagesOf(steps).find(isBroken)).toBeUndefined();
      }),
    );
  });
}

test('however the CA behaves, an order is issued or rests after a bounded number of acts', () => {
  // Between two rests lie ordering to collecting, each tried less than 100 times, and the way through clearing.
  const MOST_ACTS = 800;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (habits) => {
      let current = start;
      let acts = 0;
      let longest = 0;
      for (let turn = 0; turn < 3_000 && !isClosed(current); turn++) {
        const habit = habits[turn % habits.length] ?? { event: cleared, jitter: 0 };
        // To place it once more is the budget's affair, which counts.
        const { kind } = current.state;
        // A rest ends, and our own records can be cleared in the end; all else is up to the CA.
        const happened =
          kind === 'waiting' ? placed : kind === 'clearing' || habit.event === placed ? cleared : habit.event;
        const after = next(current, happened, NOW_MS, habit.jitter);
        if (after.state.kind === 'waiting') acts = 0;
        else if (after !== current) longest = Math.max(longest, ++acts);
        current = after;
      }
      expect(longest).toBeLessThan(MOST_ACTS);
    }),
  );
});

test('wherever an order stands, a CA that behaves brings it to its certificate', () => {
  const ready: OrderEvent = { kind: 'order-read', order: atAuthority('ready'), authorizations: [] };
  const usual: { readonly [Kind in OrderStateKind]: OrderEvent } = {
    waiting: placed,
    ordering: { kind: 'ordered', order: atAuthority('pending') },
    authorizing: ready,
    publishing: published,
    triggering: triggered,
    proving: ready,
    finalizing: { kind: 'finalized', order: atAuthority('processing') },
    collecting: collected,
    clearing: cleared,
    issued: placed,
  };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      let current = passagesOf(steps).at(-1)?.after ?? start;
      for (let acts = 0; acts < 12; acts++) current = next(current, usual[current.state.kind], NOW_MS, 0);
      expect(current.state).toEqual({ kind: 'issued', fingerprint: 'f' });
    }),
  );
});
