import { describe, expect, test } from 'vitest';
import type { Order, OrderState } from '../order.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import type { Bucket } from './bucket.ts';
import { domainBucket, exactSetBucket, nameBucket, newOrdersBucket, pauseOf } from './buckets.ts';
import { LATEST_ARRIVAL_MS, decidePlacement } from './decide-placement.ts';
import type { Placement } from './placement.ts';
import type { PlacementDecision, PlacementWish } from './placement-wish.ts';
import { PRESETS, termsOf } from './presets.ts';

const NOW_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const NAMES = ['a.example.com', '*.a.example.com'];

const terms = termsOf({ preset: 'letsencrypt', id: 'ca' });
const unlimited = termsOf({ preset: 'pebble', id: 'ca' });
const counting = { ...terms, renewals: 'counted' } as const;

const NEW_ORDERS = newOrdersBucket('ca');
const DOMAIN = domainBucket('ca', 'example.com');
const EXACT_SET = exactSetBucket('ca', NAMES);
const FAILED = nameBucket('ca', 'failed-authorizations', 'a.example.com');
const IN_A_ROW = nameBucket('ca', 'consecutive-failures', '*.a.example.com');
const PAUSE = pauseOf('ca');

const certificate: StoredCertificate = {
  deviceId: 'appliance-1',
  orderId: 'order-0',
  names: NAMES,
  fingerprint: 'f',
  keyHash: 'key-0',
  serial: '01',
  notBeforeMs: NOW_MS - 60 * DAY_MS,
  notAfterMs: NOW_MS + 30 * DAY_MS,
  issuedAtMs: NOW_MS - 60 * DAY_MS,
  authority: 'ca',
  renewalId: 'aki.serial',
  window: { startMs: NOW_MS, endMs: NOW_MS + DAY_MS },
  renewAtMs: NOW_MS,
};
const { window: _window, ...windowless } = certificate;
const { renewalId: _renewalId, ...nameless } = certificate;

const waiting: OrderState = { kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 };
const ordering: OrderState = { kind: 'ordering', notBeforeMs: NOW_MS, tries: 1 };
const order: Order = {
  id: 'order-1',
  deviceId: 'appliance-1',
  names: NAMES,
  keyHash: 'key-1',
  csr: Uint8Array.of(1),
  requestedAtMs: NOW_MS,
  failures: 0,
  state: waiting,
};

interface Given extends Partial<PlacementWish> {
  readonly predecessor?: StoredCertificate;
  readonly levels?: readonly (readonly [Bucket, number])[];
  readonly holders?: number;
}

function decide({ predecessor, levels = [], holders = 0, ...wish }: Given): PlacementDecision {
  const fullAtMs = (bucket: Bucket): number | undefined =>
    levels.find(([{ limit, subject }]) => limit === bucket.limit && subject === bucket.subject)?.[1];
  const ofDomain = ({ limit }: Bucket): number => (limit === 'registered-domain' ? holders : Number.NaN);
  const plain = { order, terms, registeredDomains: ['example.com', 'example.com'], nowMs: NOW_MS, leaving: 0 };
  return decidePlacement({ predecessor, fullAtMs, holders: ofDomain }, { ...plain, ...wish });
}

/** As one reads it. */
function told(decision: PlacementDecision): string {
  if (decision.kind === 'short') return `${decision.bucket.limit} +${decision.untilMs - NOW_MS}`;
  const { kind, replaces, holds } = decision.placement;
  const spends = decision.changes.map(({ bucket }) => bucket.limit);
  return [
    kind,
    ...(replaces === undefined ? [] : [`replaces ${replaces}`]),
    ...(holds ? [`holds ${holds.subject}`] : []),
    ...(spends.length === 0 ? [] : [`spends ${spends.join()}`]),
  ].join(', ');
}

const NEW = 'new, holds example.com, spends new-orders';
const NEW_REPLACING = 'new, replaces aki.serial, holds example.com, spends new-orders';
const RENEWAL = 'renewal, replaces aki.serial';
const REPLACEMENT = 'replacement, replaces aki.serial';

function withWindow(fromMs: number, toMs: number): StoredCertificate {
  return { ...certificate, window: { startMs: NOW_MS + fromMs, endMs: NOW_MS + toMs } };
}

function issued(agoMs: number): StoredCertificate {
  return { ...nameless, issuedAtMs: NOW_MS - agoMs };
}

function lost(placement?: Partial<Placement>): Order {
  const placed: Placement = { authority: 'ca', kind: 'new', ...placement };
  return { ...order, state: ordering, ...(placement && { placement: placed }) };
}

describe('an order', () => {
  const TABLE: readonly (readonly [what: string, given: Given, expected: string])[] = [
    ['without a predecessor is new', {}, NEW],
    ['in the window of its predecessor is a replacement', { predecessor: certificate }, REPLACEMENT],
    ['on the first instant of the window is a replacement', { predecessor: withWindow(0, DAY_MS) }, REPLACEMENT],
    ['just before the window is a renewal', { predecessor: withWindow(1, DAY_MS) }, RENEWAL],
    ['after the window is a renewal', { predecessor: withWindow(-DAY_MS, -1) }, RENEWAL],
    [
      'that the CA might see after the window is a renewal',
      { predecessor: withWindow(-1, LATEST_ARRIVAL_MS) },
      RENEWAL,
    ],
    [
      'that the CA sees in the window, however slow it is, is a replacement',
      { predecessor: withWindow(-1, LATEST_ARRIVAL_MS + 1) },
      REPLACEMENT,
    ],
    ['without a known window is a renewal', { predecessor: windowless }, RENEWAL],
    ['whose predecessor cannot be named is a renewal', { predecessor: nameless }, 'renewal'],
    ['within 119 days is a renewal', { predecessor: issued(119 * DAY_MS - 1) }, 'renewal'],
    ['after 119 days is new', { predecessor: issued(119 * DAY_MS) }, NEW],
    [
      'long after its predecessor still names it',
      { predecessor: { ...windowless, issuedAtMs: NOW_MS - 200 * DAY_MS } },
      NEW_REPLACING,
    ],
    [
      'after the end of its predecessor replaces nothing',
      { predecessor: { ...windowless, notAfterMs: NOW_MS, issuedAtMs: NOW_MS - 90 * DAY_MS } },
      'renewal',
    ],
    ['whose predecessor is of another account is new', { predecessor: { ...certificate, authority: 'other' } }, NEW],
    [
      'that the CA refused as a replacement is a plain renewal',
      { predecessor: certificate, order: { ...order, state: { ...waiting, isPlain: true } } },
      'renewal',
    ],
    [
      'is new where renewals are counted, and names its predecessor',
      { predecessor: certificate, terms: counting },
      NEW_REPLACING,
    ],
    ['asked again is new again and pays again', { order: lost({ holds: DOMAIN }) }, NEW],
    [
      'asked again says the same again, and goes on as a replacement in the window',
      { predecessor: certificate, order: lost({ kind: 'replacement', replaces: 'aki.serial' }) },
      REPLACEMENT,
    ],
    [
      'asked again after the window says the same, and is a renewal by now',
      { predecessor: withWindow(-2, -1), order: lost({ kind: 'replacement', replaces: 'aki.serial' }) },
      RENEWAL,
    ],
    [
      'asked again that went out plain stays plain',
      { predecessor: certificate, order: lost({ kind: 'renewal' }) },
      'renewal',
    ],
    [
      'asked again that named another certificate is no replacement of this one',
      { predecessor: certificate, order: lost({ kind: 'replacement', replaces: 'older' }) },
      'renewal, replaces older',
    ],
    [
      'asked again at another account begins anew there',
      { predecessor: certificate, order: lost({ authority: 'other', replaces: 'older' }) },
      REPLACEMENT,
    ],
    ['from before budgets is judged by its predecessor', { predecessor: certificate, order: lost() }, REPLACEMENT],
    ['is free where nothing is limited, and holds nothing', { terms: unlimited }, 'new'],
    [
      'for several registered domains holds a place in the first',
      { registeredDomains: ['example.org', 'example.com'] },
      'new, holds example.org, spends new-orders',
    ],
  ];
  test.for(TABLE)('%s', ([, given, expected]) => {
    expect(told(decide(given))).toBe(expected);
  });

  test('that is new is counted by the CA when it arrives, at the latest after the time limit of the call', () => {
    const limit = PRESETS.letsencrypt.limits['new-orders'];
    expect(decide({})).toEqual({
      kind: 'place',
      placement: { authority: 'ca', kind: 'new', holds: DOMAIN },
      changes: [{ kind: 'spend', bucket: NEW_ORDERS, limit, atMs: NOW_MS + LATEST_ARRIVAL_MS }],
    });
  });
});

/** Levels at which the next token is there after so many milliseconds. */
const INTERVALS_MS = { newOrders: 36_000, domain: 12_096_000, exactSet: 120_960_000, failed: 900_000, row: DAY_MS };
function next(bucket: Bucket, burst: number, intervalMs: number, afterMs: number): readonly [Bucket, number] {
  return [bucket, NOW_MS + (burst - 1) * intervalMs + afterMs];
}
const newOrders = (afterMs: number) => next(NEW_ORDERS, 300, INTERVALS_MS.newOrders, afterMs);
const domain = (afterMs: number) => next(DOMAIN, 50, INTERVALS_MS.domain, afterMs);
const exactSet = (afterMs: number) => next(EXACT_SET, 5, INTERVALS_MS.exactSet, afterMs);
const failed = (afterMs: number) => next(FAILED, 4, INTERVALS_MS.failed, afterMs);
const inARow = (afterMs: number) => next(IN_A_ROW, 1_152, INTERVALS_MS.row, afterMs);

describe('which limit is checked for which kind', () => {
  const EACH = [
    ['new-orders', newOrders, ['new']],
    ['registered-domain', domain, ['new']],
    ['exact-set', exactSet, ['new', 'renewal']],
    ['failed-authorizations', failed, ['new', 'renewal']],
    ['consecutive-failures', inARow, ['new', 'renewal', 'replacement']],
  ] as const;
  const GIVEN: readonly (readonly [Placement['kind'], Given])[] = [
    ['new', {}],
    ['renewal', { predecessor: nameless }],
    ['replacement', { predecessor: certificate }],
  ];
  const TABLE = EACH.flatMap(([limit, level, kinds]) =>
    GIVEN.map(([kind, given]) => ({ limit, level, kind, given, isChecked: kinds.some((each) => each === kind) })),
  );
  test.for(TABLE)('$limit stops $kind: $isChecked', ({ limit, level, kind, given, isChecked }) => {
    const isFree = expect.stringMatching(new RegExp(`^${kind}`));
    expect(told(decide({ ...given, levels: [level(1)] }))).toEqual(isChecked ? `${limit} +1` : isFree);
    expect(told(decide({ ...given, levels: [level(0)] }))).toEqual(isFree);
    expect(told(decide({ ...given, levels: [level(1)], terms: unlimited }))).toEqual(isFree);
  });

  test('with renewals counted even a replacement waits for new-orders', () => {
    const levels = [newOrders(7)];
    expect(told(decide({ predecessor: certificate, terms: counting, levels }))).toBe('new-orders +7');
  });

  test('an order that is asked again waits like any other', () => {
    expect(told(decide({ order: lost({ holds: DOMAIN }), levels: [newOrders(7)] }))).toBe('new-orders +7');
  });
});

describe('several short buckets', () => {
  test('are told by the one that is free last', () => {
    expect(told(decide({ levels: [newOrders(5), domain(9), exactSet(7), failed(1)] }))).toBe('registered-domain +9');
    expect(told(decide({ levels: [newOrders(5), domain(1), inARow(9)] }))).toBe('consecutive-failures +9');
    expect(told(decide({ levels: [newOrders(9), domain(9)] }))).toBe('new-orders +9');
  });

  test('count a pause first, whatever the kind, and to the instant', () => {
    for (const given of [{}, { predecessor: certificate }, { terms: unlimited }]) {
      const levels = [[PAUSE, NOW_MS + 3], exactSet(9)] as const;
      expect(told(decide({ ...given, levels }))).toBe('pause +3');
      expect(told(decide({ ...given, levels: [[PAUSE, NOW_MS]] }))).not.toContain('pause');
    }
  });
});

describe('what can wait', () => {
  // 30 of 300 are left.
  const levels = [[NEW_ORDERS, NOW_MS + 270 * INTERVALS_MS.newOrders]] as const;
  const TABLE = [
    { leaving: 0, expected: NEW },
    { leaving: 0.0999, expected: NEW },
    { leaving: 0.1, expected: 'new-orders +36000' },
    { leaving: 0.2, expected: `new-orders +${31 * 36_000}` },
  ];
  test.for(TABLE)('leaves $leaving of new-orders to others: $expected', ({ leaving, expected }) => {
    expect(told(decide({ levels, leaving }))).toBe(expected);
  });

  test('leaves nothing of other limits', () => {
    expect(told(decide({ levels: [domain(0), exactSet(0), failed(0), inARow(0)], leaving: 0.9 }))).toBe(NEW);
  });
});

describe('orders that hold a place', () => {
  test('leave the rest to others, and the next waits for a token of its own', () => {
    // 48 of 50 are left.
    const levels = [[DOMAIN, NOW_MS + 2 * INTERVALS_MS.domain]] as const;
    expect(told(decide({ levels, holders: 47 }))).toBe(NEW);
    expect(told(decide({ levels, holders: 48 }))).toBe(`registered-domain +${INTERVALS_MS.domain}`);
  });

  test('may be as many as a full bucket has; one more asks again in a minute', () => {
    expect(told(decide({ holders: 49 }))).toBe(NEW);
    expect(told(decide({ holders: 50 }))).toBe('registered-domain +60000');
    expect(told(decide({ holders: 50, levels: [exactSet(60_001)] }))).toBe('exact-set +60001');
  });

  test('do not stop renewals', () => {
    expect(told(decide({ predecessor: certificate, holders: 50 }))).toBe(REPLACEMENT);
    expect(told(decide({ predecessor: nameless, holders: 50 }))).toBe('renewal');
  });
});
