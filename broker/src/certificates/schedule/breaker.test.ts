import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLOSED, next, opensAtMs } from './breaker.ts';
import type { BreakerEvent, BreakerState } from './breaker.ts';

const NOW_MS = 1_700_000_000_000;
const SINCE_MS = NOW_MS - 7_200_000;
const HOUR_MS = 3_600_000;

const STATES = {
  'closed, nothing wrong': CLOSED,
  'closed, 1 failure': { kind: 'closed', failures: 1 },
  'closed, 4 failures': { kind: 'closed', failures: 4 },
  'open, pausing': { kind: 'open', sinceMs: SINCE_MS, pauseMs: 60_000, untilMs: NOW_MS + 10_000 },
  'open, pause over': { kind: 'open', sinceMs: SINCE_MS, pauseMs: 60_000, untilMs: NOW_MS },
  'half-open, trial under way': { kind: 'half-open', sinceMs: SINCE_MS, pauseMs: 60_000, untilMs: NOW_MS + 1 },
  'half-open, trial lost': { kind: 'half-open', sinceMs: SINCE_MS, pauseMs: 60_000, untilMs: NOW_MS },
} as const satisfies Readonly<Record<string, BreakerState>>;
type StateName = keyof typeof STATES;

const EVENTS: { readonly [Kind in BreakerEvent['kind']]: Extract<BreakerEvent, { kind: Kind }> } = {
  sent: { kind: 'sent' },
  failed: failed(),
  answered: { kind: 'answered' },
  busy: { kind: 'busy', untilMs: NOW_MS + 5_000 },
};

function failed(retryAfterMs?: number): Extract<BreakerEvent, { kind: 'failed' }> {
  return { kind: 'failed', retryAfterMs };
}

const opened: BreakerState = { kind: 'open', sinceMs: NOW_MS, pauseMs: 30_000, untilMs: NOW_MS + 15_000 };
const openedAgain: BreakerState = { kind: 'open', sinceMs: SINCE_MS, pauseMs: 120_000, untilMs: NOW_MS + 60_000 };
const turnedAway: BreakerState = { kind: 'open', sinceMs: SINCE_MS, pauseMs: 60_000, untilMs: NOW_MS + 5_000 };
const trial: BreakerState = { kind: 'half-open', sinceMs: SINCE_MS, pauseMs: 60_000, untilMs: NOW_MS + 180_000 };

/** `-`: nothing changes. With the lowest jitter: half of each pause. */
const TABLE: Readonly<Record<StateName, Readonly<Record<BreakerEvent['kind'], BreakerState | '-'>>>> = {
  'closed, nothing wrong': { sent: '-', failed: { kind: 'closed', failures: 1 }, answered: '-', busy: '-' },
  'closed, 1 failure': { sent: '-', failed: { kind: 'closed', failures: 2 }, answered: CLOSED, busy: '-' },
  'closed, 4 failures': { sent: '-', failed: opened, answered: CLOSED, busy: '-' },
  'open, pausing': { sent: '-', failed: '-', answered: CLOSED, busy: '-' },
  'open, pause over': { sent: trial, failed: '-', answered: CLOSED, busy: '-' },
  'half-open, trial under way': { sent: '-', failed: openedAgain, answered: CLOSED, busy: turnedAway },
  'half-open, trial lost': { sent: trial, failed: openedAgain, answered: CLOSED, busy: turnedAway },
};

describe('every event in every state', () => {
  for (const [name, before] of Object.entries(STATES)) {
    for (const event of Object.values(EVENTS)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of STATES are the keys of TABLE
      const expected = TABLE[name as StateName][event.kind];
      test(`${name} + ${event.kind} → ${expected === '-' ? 'no change' : expected.kind}`, () => {
        const after = next(before, event, NOW_MS, 0);
        expect(after === before).toBe(expected === '-');
        expect(after).toEqual(expected === '-' ? before : expected);
      });
    }
  }
});

/** The pauses after each failed trial, each trial going as soon as it may. */
function pauses(count: number, jitter: number): readonly number[] {
  let nowMs = NOW_MS;
  let state: BreakerState = STATES['closed, 4 failures'];
  return Array.from({ length: count }, () => {
    state = next(next(state, EVENTS.sent, nowMs, jitter), failed(), nowMs, jitter);
    const pauseMs = opensAtMs(state) - nowMs;
    nowMs = opensAtMs(state);
    return pauseMs / 1_000;
  });
}

describe('pauses', () => {
  test('double with each failed trial up to half an hour', () => {
    const nearlyOne = 1 - 2 ** -40;
    expect(pauses(9, nearlyOne).map(Math.ceil)).toEqual([30, 60, 120, 240, 480, 960, 1_800, 1_800, 1_800]);
  });

  test('are half as long when the dice are unkind', () => {
    expect(pauses(9, 0)).toEqual([15, 30, 60, 120, 240, 480, 900, 900, 900]);
  });

  test.each([
    ['a shorter one', 1_000, 15_000],
    ['a longer one', 90_000, 90_000],
    ['the longest that is kept', HOUR_MS, HOUR_MS],
    ['a longer one than that', HOUR_MS + 1, HOUR_MS],
    ['one in the past', -5_000, 15_000],
  ])('that the CA asks for count when longer: %s', (_, retryAfterMs, pauseMs) => {
    expect(opensAtMs(next(STATES['closed, 4 failures'], failed(retryAfterMs), NOW_MS, 0))).toBe(NOW_MS + pauseMs);
  });

  test.each([
    ['open, pausing', 9_999, 10_000],
    ['open, pausing', 20_000, 20_000],
    ['open, pause over', 20_000, 20_000],
    ['open, pausing', 2 * HOUR_MS, HOUR_MS],
  ] as const)('%s: a late failure that asks for %d ms does not shorten it', (name, retryAfterMs, pauseMs) => {
    const after = next(STATES[name], failed(retryAfterMs), NOW_MS, 0);
    expect(after).toEqual({ ...STATES[name], untilMs: NOW_MS + pauseMs });
  });
});

test('whatever happens, a breaker opens again within the longest pause, and one answer closes it', () => {
  const event = fc.oneof(
    fc.constantFrom<BreakerEvent>(EVENTS.sent, EVENTS.answered),
    fc.option(fc.integer(), { nil: undefined }).map((retryAfterMs): BreakerEvent => failed(retryAfterMs)),
  );
  const step = fc.tuple(event, fc.nat(HOUR_MS), fc.double({ min: 0, max: 0.999, noNaN: true }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      let nowMs = NOW_MS;
      let state = CLOSED;
      for (const [happened, elapsedMs, jitter] of steps) {
        nowMs += elapsedMs;
        state = next(state, happened, nowMs, jitter);
        expect(opensAtMs(state) - nowMs).toBeLessThanOrEqual(HOUR_MS);
        expect(next(state, EVENTS.answered, nowMs, jitter)).toEqual(CLOSED);
      }
    }),
  );
});
