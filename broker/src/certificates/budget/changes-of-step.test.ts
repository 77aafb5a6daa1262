import { describe, expect, test } from 'vitest';
import { ERRORS } from '@lanyard/sdk/kernel';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import { next } from '../order-progress.ts';
import { failureOf } from '../order-setback.ts';
import type { Order, OrderEvent, OrderEventKind, OrderState, OrderStateKind } from '../order.ts';
import type { BucketChange } from './bucket.ts';
import { pauseOf } from './buckets.ts';
import { changesOfStep } from './changes-of-step.ts';
import type { Placement } from './placement.ts';
import { termsOf } from './presets.ts';
import { LIMIT_NAMES } from './rate-limit.ts';
import { changed, freeAtMs } from './token-bucket.ts';

const NOW_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NAME = 'a.example.com';
const DOMAIN = 'example.com';

const terms = termsOf({ preset: 'letsencrypt', id: 'ca' });
const holds = { authority: 'ca', limit: 'registered-domain', subject: DOMAIN } as const;
const PLACED: Placement = { authority: 'ca', kind: 'new', holds };

const pace = { notBeforeMs: NOW_MS, tries: 0 };
const atCa = { orderUrl: 'https://ca.test/1', challenges: [], ...pace };
const STATES: Readonly<Record<OrderStateKind, OrderState>> = {
  waiting: { kind: 'waiting', ...pace },
  ordering: { kind: 'ordering', ...pace },
  authorizing: { kind: 'authorizing', ...atCa },
  publishing: { kind: 'publishing', ...atCa },
  triggering: { kind: 'triggering', ...atCa },
  proving: { kind: 'proving', ...atCa },
  finalizing: { kind: 'finalizing', finalizeUrl: 'https://ca.test/1/finalize', ...atCa },
  collecting: { kind: 'collecting', ...atCa },
  clearing: { kind: 'clearing', challenges: [], aftermath: { kind: 'again', notBeforeMs: NOW_MS }, ...pace },
  issued: { kind: 'issued', fingerprint: 'f' },
};

type Failed = Extract<OrderEvent, { kind: 'failed' }>;

function orderIn(state: OrderStateKind, placement: Placement | undefined = PLACED, tries = 0): Order {
  const given = STATES[state];
  const what = { id: 'o', deviceId: 'd', names: [NAME], keyHash: 'k', csr: new Uint8Array(), requestedAtMs: 0 };
  const paced = 'tries' in given ? { ...given, tries } : given;
  return { ...what, failures: 0, ...(placement && { placement }), state: paced };
}

function failed(code: ErrorCode, more: Partial<Failed> = {}): Failed {
  return { kind: 'failed', code, message: 'm', retryAfterMs: undefined, ...more };
}

/** Changes of the step from `order` by `event`, with what the machine makes of it. */
function changesOf(order: Order, event: OrderEvent, given = terms): readonly BucketChange[] {
  return changesOfStep({ order, event, stepped: next(order, event, NOW_MS, 0) }, given, [DOMAIN], NOW_MS);
}

/** As one reads it. */
function told(changes: readonly BucketChange[]): readonly string[] {
  return changes.map(({ kind, bucket }) => `${kind} ${bucket.limit} ${bucket.subject}`.trim());
}

const KEPT = ['spend registered-domain example.com'];
const FAILED_VALIDATION = ['spend failed-authorizations a.example.com', 'spend consecutive-failures a.example.com'];
const FORGIVEN = 'refill consecutive-failures a.example.com';

describe('an act that succeeds', () => {
  const read = { url: 'u', status: 'pending', authorizationUrls: [], finalizeUrl: 'f' } as const;
  const EVENTS: Readonly<Record<Exclude<OrderEventKind, 'failed'>, { event: OrderEvent; costs: readonly string[] }>> = {
    // What it spends was stored with the decision.
    placed: { event: { kind: 'placed', placement: PLACED }, costs: [] },
    ordered: { event: { kind: 'ordered', order: read }, costs: [] },
    'order-read': { event: { kind: 'order-read', order: read, authorizations: [] }, costs: [] },
    published: { event: { kind: 'published' }, costs: [] },
    triggered: { event: { kind: 'triggered' }, costs: [] },
    finalized: { event: { kind: 'finalized', order: read }, costs: [] },
    pending: { event: { kind: 'pending', retryAfterMs: undefined }, costs: [] },
    cleared: { event: { kind: 'cleared' }, costs: [] },
    // The CA may come back and issue.
    left: { event: { kind: 'left', message: 'm' }, costs: KEPT },
    collected: {
      event: { kind: 'collected', fingerprint: 'f' },
      costs: ['spend exact-set a.example.com', 'spend registered-domain example.com', FORGIVEN],
    },
  };
  const ITS_STATE: Readonly<Record<keyof typeof EVENTS, OrderStateKind>> = {
    placed: 'waiting',
    ordered: 'ordering',
    'order-read': 'authorizing',
    published: 'publishing',
    triggered: 'triggering',
    finalized: 'finalizing',
    pending: 'proving',
    cleared: 'clearing',
    left: 'proving',
    collected: 'collecting',
  };
  for (const [kind, { event, costs }] of Object.entries(EVENTS)) {
    test(`by ${kind} costs ${costs.join(', ') || 'nothing'}`, () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
      expect(told(changesOf(orderIn(ITS_STATE[kind as keyof typeof EVENTS]), event))).toEqual(costs);
    });
  }

  test.each(['renewal', 'replacement'] as const)('by collected of a %s costs nothing for the domain', (kind) => {
    const order = orderIn('collecting', { authority: 'ca', kind });
    const costs = told(changesOf(order, { kind: 'collected', fingerprint: 'f' }));
    expect(costs).toEqual(['spend exact-set a.example.com', FORGIVEN]);
  });

  test('by collected of an order from before there was a budget costs nothing', () => {
    const { placement: _none, ...order } = orderIn('collecting');
    expect(changesOf(order, { kind: 'collected', fingerprint: 'f' })).toEqual([]);
  });
});

describe('an order that the CA is not done with when it is left keeps its place', () => {
  /** Every code that an act can fail with, in a state at the CA, when it is given up. */
  const COSTS: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
    'authority-order-lost': KEPT,
    'authority-protocol': KEPT,
    internal: KEPT,
    'authority-validation-failed': FAILED_VALIDATION,
    'authority-refused': [],
    'authority-rejected-name': [],
    // Passing: the order is not given up.
    'authority-unreachable': [],
    'dns-serving-failed': [],
    'store-failed': [],
    stopped: [],
  };
  for (const [code, costs] of Object.entries(COSTS)) {
    for (const state of ['authorizing', 'triggering', 'proving', 'finalizing', 'collecting'] as const) {
      test(`${code} in ${state}: ${costs.join(', ') || 'nothing'}`, () => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
        expect(told(changesOf(orderIn(state), failed(code as ErrorCode)))).toEqual(costs);
      });
    }
  }

  test('the codes are those of the table of errors', () => {
    expect(Object.keys(ERRORS)).toEqual(expect.arrayContaining(Object.keys(COSTS)));
  });

  test('also when it was repeated until it was given up, and when the CA did not decide in time', () => {
    const last = 99;
    expect(told(changesOf(orderIn('finalizing', PLACED, last), failed('authority-unreachable')))).toEqual(KEPT);
    const pending: OrderEvent = { kind: 'pending', retryAfterMs: undefined };
    expect(told(changesOf(orderIn('collecting', PLACED, last), pending))).toEqual(KEPT);
    expect(told(changesOf(orderIn('collecting', PLACED, last - 1), pending))).toEqual([]);
  });

  const PROBLEMS = [
    { type: 'urn:ietf:params:acme:error:dns', costs: FAILED_VALIDATION },
    { type: 'urn:ietf:params:acme:error:unauthorized', costs: FAILED_VALIDATION },
    { type: 'urn:ietf:params:acme:error:caa', costs: [] },
  ] as const;
  for (const { type, costs } of PROBLEMS) {
    test(`one that the CA declared invalid (${type}) is no lost one: ${costs.join(', ') || 'nothing'}`, () => {
      expect(told(changesOf(orderIn('proving'), failureOf({ type, detail: 'no' }, '')))).toEqual(costs);
    });
  }

  test('unless it held none', () => {
    const order = orderIn('proving', { authority: 'ca', kind: 'renewal' });
    expect(changesOf(order, failed('authority-order-lost'))).toEqual([]);
    const { placement: _none, ...old } = orderIn('proving');
    expect(changesOf(old, failed('authority-order-lost'))).toEqual([]);
  });

  test('a record that is slow to go costs nothing', () => {
    expect(changesOf(orderIn('clearing', undefined, 99), failed('dns-serving-failed'))).toEqual([]);
  });
});

function refused(more: Partial<Failed>): Failed {
  return failed('authority-rate-limited', more);
}

describe('a refusal by a limit', () => {
  for (const limit of LIMIT_NAMES) {
    test(`that is ${limit} empties its bucket until the CA’s instant, whatever the act was`, () => {
      const SUBJECTS = { 'new-orders': '', 'registered-domain': DOMAIN };
      const subject = limit === 'new-orders' || limit === 'registered-domain' ? SUBJECTS[limit] : NAME;
      for (const state of ['ordering', 'finalizing'] as const) {
        const changes = changesOf(orderIn(state), refused({ limit, retryAfterMs: 90 * MINUTE_MS }));
        expect(changes.map(({ kind, bucket }) => ({ kind, bucket }))).toEqual([
          { kind: 'empty', bucket: { authority: 'ca', limit, subject } },
        ]);
        const atMs = freeAtMs(changed(undefined, changes[0]!), terms.limits[limit]!, NOW_MS);
        expect(atMs).toBe(NOW_MS + 90 * MINUTE_MS);
      }
    });
  }

  const PAUSES = [
    { what: 'as long as the CA says', retryAfterMs: 5 * MINUTE_MS, pauseMs: 5 * MINUTE_MS },
    { what: 'a minute when it does not say', retryAfterMs: undefined, pauseMs: MINUTE_MS },
    { what: 'a week at most', retryAfterMs: 400 * DAY_MS, pauseMs: 7 * DAY_MS },
  ];
  for (const { what, retryAfterMs, pauseMs } of PAUSES) {
    test(`that is not named pauses the account: ${what}`, () => {
      const changes = changesOf(orderIn('ordering'), refused({ limit: 'unnamed', retryAfterMs }));
      expect(changes).toMatchObject([{ kind: 'empty', bucket: pauseOf('ca'), untilMs: NOW_MS + pauseMs }]);
    });
  }

  test('of a limit that is not among the terms pauses the account, too', () => {
    const unlimited = termsOf({ preset: 'custom', id: 'ca' });
    const changes = changesOf(orderIn('ordering'), refused({ limit: 'new-orders' }), unlimited);
    expect(changes.map(({ bucket }) => bucket)).toEqual([pauseOf('ca')]);
  });

  test.each(['ordering', 'proving'] as const)('that is only about haste (503) costs nothing in %s', (state) => {
    expect(changesOf(orderIn(state), refused({ limit: 'busy', retryAfterMs: MINUTE_MS }))).toEqual([]);
  });
});
