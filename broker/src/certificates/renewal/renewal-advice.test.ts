import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RenewalWindow, StoredCertificate } from '../stored-certificate.ts';
import { afterLook, firstLookMs } from './renewal-advice.ts';
import type { Look, RenewalAdvice, RenewalAnswer } from './renewal-advice.ts';
import { renewalTime } from './renewal-time.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 22);

/** Lives for 90 days; its own window is from day 59.1 to day 60.9, and its own instant day 60. */
function certificate(changes: Partial<StoredCertificate> = {}): StoredCertificate {
  return {
    deviceId: 'appliance-1',
    orderId: 'order-1',
    names: ['a.devices.example.com'],
    fingerprint: 'fingerprint-1',
    keyHash: 'key-1',
    serial: '01',
    notBeforeMs: START_MS,
    notAfterMs: day(90),
    issuedAtMs: START_MS,
    authority: 'le',
    renewalId: 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AQ',
    renewAtMs: day(60),
    ...changes,
  };
}

function day(days: number): number {
  return Math.round(START_MS + days * DAY_MS);
}

function window(fromDay: number, toDay: number) {
  return { startMs: day(fromDay), endMs: day(toDay) };
}

function said(fromDay: number, toDay: number, more: { explanationUrl?: string; retryAfterMs?: number } = {}) {
  return { kind: 'said', info: { window: window(fromDay, toDay), ...more } } as const;
}

function span(least: number, most: number) {
  return fc.integer({ min: least, max: most });
}

/** Where the instant of a certificate that is not due may be. */
function safePart({ startMs, endMs }: RenewalWindow, fresh: StoredCertificate, nowMs: number) {
  if (endMs <= nowMs) return { leastMs: nowMs, mostMs: nowMs };
  const ownStartMs = renewalTime(fresh, 0, fresh.issuedAtMs);
  const ownEndMs = renewalTime(fresh, 1, fresh.issuedAtMs);
  if (startMs >= ownEndMs) return { leastMs: ownStartMs, mostMs: ownEndMs };
  return { leastMs: startMs, mostMs: Math.min(endMs - 1, ownEndMs) };
}

/** On the tenth day, in the middle of every window. */
function advice(answer: RenewalAnswer, changes: Partial<Look> = {}): RenewalAdvice {
  return afterLook({ certificate: certificate(), answer, misses: 0, nowMs: day(10), uniform: 0.5, ...changes });
}

describe('the instant', () => {
  const known = certificate({ window: window(40, 42), renewAtMs: day(41.5) });
  const due = certificate({ renewAtMs: day(9) });
  const CASES: Record<string, [answer: RenewalAnswer, changes: Partial<Look>, renewAtDay: number, isUrgent: boolean]> =
    {
      'of a first window is thrown in it': [said(40, 42), {}, 41, false],
      'of the window’s first moment': [said(40, 42), { uniform: 0 }, 40, false],
      'stays while the window does': [said(40, 42), { certificate: known }, 41.5, false],
      'is thrown anew when the window moved earlier': [said(20, 22), { certificate: known }, 21, false],
      'is thrown anew when the window moved later': [said(50, 52), { certificate: known }, 51, false],
      'is thrown anew when only the end moved': [said(40, 44), { certificate: known }, 42, false],
      'may be in the part of the window that is gone': [said(9, 13), { uniform: 0.1 }, 9.4, false],
      'is now when the window is over': [said(9.9, 9.95), {}, 10, true],
      'is now when the window ends now': [said(9, 10), {}, 10, true],
      'is now when a known window was moved into the past': [said(9.9, 9.95), { certificate: known }, 10, true],
      'is now, without urgency, when its own window has begun': [
        said(59, 59.2),
        { nowMs: day(59.5), certificate: certificate() },
        59.5,
        false,
      ],
      'is in no urgent window before that is over': [said(11, 12), {}, 11.5, false],
      'stays when it is due, wherever the window moves': [said(40, 42), { certificate: due }, 9, false],
      'stays when it is due, and the window is over': [said(9.9, 9.95), { certificate: due }, 9, true],
      'is not later than its own window ends': [said(60, 70), { uniform: 0.999 }, 60.899, false],
      'is in its own window when the CA’s is later': [said(70, 72), {}, 60, false],
      'is spread over its own window when the CA’s is later': [said(70, 72), { uniform: 0 }, 59.1, false],
      'is in its own window when the CA’s is after its end': [said(100, 101), {}, 60, false],
      'stays when the CA has no renewal information': [{ kind: 'no-offer' }, { certificate: known }, 41.5, false],
      'stays when the CA is away': [{ kind: 'temporary' }, { certificate: known, misses: 3 }, 41.5, false],
      'stays when the answer makes no sense': [{ kind: 'malformed' }, { certificate: known }, 41.5, false],
      'stays when the window ends before it starts': [said(9, 8), { certificate: known }, 41.5, false],
    };

  test.each(Object.entries(CASES))('%s', (_what, [answer, changes, renewAtDay, isUrgent]) => {
    const { renewAtMs, isUrgent: wasUrgent } = advice(answer, changes);
    expect((renewAtMs - START_MS) / DAY_MS).toBeCloseTo(renewAtDay, 2);
    expect(wasUrgent).toBe(isUrgent);
  });

  test('is in the window as far as that is safe, and stays', () => {
    const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const life = fc.oneof(span(HOUR_MS, 10 * DAY_MS), span(10 * DAY_MS, 400 * DAY_MS));
    const share = fc.double({ min: 0, max: 1.5, noNaN: true });
    fc.assert(
      fc.property(life, share, span(1_000, 10 * DAY_MS), share, uniform, uniform, (lifeMs, from, widthMs, at, u, v) => {
        const validity = { notBeforeMs: START_MS, notAfterMs: START_MS + lifeMs, issuedAtMs: START_MS };
        const fresh = certificate({ ...validity, renewAtMs: renewalTime(validity, v, START_MS) });
        const startMs = START_MS + Math.round(from * lifeMs);
        const info = { window: { startMs, endMs: startMs + widthMs } };
        const nowMs = START_MS + Math.floor(at * 0.6 * (fresh.renewAtMs - START_MS));
        const look = { certificate: fresh, answer: { kind: 'said', info }, misses: 0, nowMs, uniform: u } as const;
        const { renewAtMs } = afterLook(look);
        const { leastMs, mostMs } = safePart(info.window, fresh, nowMs);
        expect(renewAtMs).toBeGreaterThanOrEqual(leastMs);
        expect(renewAtMs).toBeLessThanOrEqual(mostMs);
        const noted = { ...fresh, ...info, renewAtMs };
        expect(afterLook({ ...look, certificate: noted, nowMs: nowMs + HOUR_MS, uniform: v }).renewAtMs).toBe(
          renewAtMs,
        );
      }),
    );
  });

  test('of many certificates with one window is spread over it', () => {
    const instants = Array.from(
      { length: 100 },
      (_, index) => advice(said(40, 42), { uniform: index / 100 }).renewAtMs,
    );
    expect(new Set(instants).size).toBe(100);
    expect(Math.min(...instants)).toBe(day(40));
    expect(Math.max(...instants)).toBeGreaterThan(day(41.9));
  });

  test.each([
    ['43 hours', 43 * HOUR_MS, 10 * MINUTE_MS],
    ['3.2 hours', 3.2 * HOUR_MS, 10 * MINUTE_MS],
    ['a minute', MINUTE_MS, MINUTE_MS / 4],
  ])('leaves an order time to reach the CA before a window of %s is over', (_what, widthMs, sparedMs) => {
    const info = { window: { startMs: day(40), endMs: day(40) + widthMs } };
    const { renewAtMs } = advice({ kind: 'said', info }, { uniform: 0.999999 });
    expect(info.window.endMs - renewAtMs).toBeGreaterThanOrEqual(sparedMs);
    expect(info.window.endMs - renewAtMs).toBeLessThan(sparedMs + 1_000);
  });
});

describe('the next look', () => {
  const late = certificate({ renewAtMs: day(80) });
  const { renewalId: _, ...anonymous } = certificate();
  const CASES: Record<string, [answer: RenewalAnswer, changes: Partial<Look>, afterMs: number | undefined]> = {
    'is when the CA says': [said(40, 42, { retryAfterMs: 5 * HOUR_MS }), {}, 5 * HOUR_MS],
    'is not within a minute': [said(40, 42, { retryAfterMs: 1_000 }), {}, MINUTE_MS],
    'is not in the past': [said(40, 42, { retryAfterMs: -DAY_MS }), {}, MINUTE_MS],
    'is within a day': [said(40, 42, { retryAfterMs: 30 * DAY_MS }), {}, DAY_MS],
    'is after six hours when the CA does not say': [said(40, 42), {}, 6 * HOUR_MS],
    'is the same for an urgent one': [said(9, 9.5, { retryAfterMs: 5 * HOUR_MS }), {}, 5 * HOUR_MS],
    'is never after the end': [said(59, 61), { certificate: late, nowMs: day(89.9) }, undefined],
    'is never of an expired one': [{ kind: 'no-offer' }, { nowMs: day(91) }, undefined],
    'is never when the CA offers nothing': [{ kind: 'no-offer' }, {}, undefined],
    'is never when it cannot be asked about': [{ kind: 'no-offer' }, { certificate: anonymous }, undefined],
    'is a minute after the first miss': [{ kind: 'temporary' }, { misses: 1 }, MINUTE_MS],
    'is two minutes after the second': [{ kind: 'temporary' }, { misses: 2 }, 2 * MINUTE_MS],
    'is 256 minutes after the ninth': [{ kind: 'temporary' }, { misses: 9 }, 256 * MINUTE_MS],
    'is six hours after the tenth': [{ kind: 'temporary' }, { misses: 10 }, 6 * HOUR_MS],
    'is six hours after the thousandth': [{ kind: 'temporary' }, { misses: 1_000 }, 6 * HOUR_MS],
    'waits longer when the CA asks for it': [{ kind: 'temporary', retryAfterMs: HOUR_MS }, { misses: 1 }, HOUR_MS],
    'waits no shorter when the CA asks for it': [
      { kind: 'temporary', retryAfterMs: MINUTE_MS },
      { misses: 9 },
      256 * MINUTE_MS,
    ],
    'waits a day at most': [{ kind: 'temporary', retryAfterMs: 9 * DAY_MS }, { misses: 1 }, DAY_MS],
    'is six hours after nonsense': [{ kind: 'malformed' }, {}, 6 * HOUR_MS],
    'is six hours after a window that ends before it starts': [said(9, 8, { retryAfterMs: HOUR_MS }), {}, 6 * HOUR_MS],
  };

  test.each(Object.entries(CASES))('%s', (_what, [answer, changes, afterMs]) => {
    const { lookUpAtMs } = advice(answer, changes);
    expect(lookUpAtMs).toBe(afterMs === undefined ? undefined : (changes.nowMs ?? day(10)) + afterMs);
  });

  test('is first within the hour after the issue', () => {
    expect(firstLookMs(START_MS, 0)).toBe(START_MS);
    expect(firstLookMs(START_MS, 0.5)).toBe(START_MS + 30 * MINUTE_MS);
    expect(firstLookMs(START_MS, 0.999_999)).toBeLessThan(START_MS + HOUR_MS);
  });
});

describe('window and explanation', () => {
  const explanationUrl = 'https://ca.test/incident';
  const told = certificate({ window: window(40, 42), explanationUrl });

  test('are noted as the CA said them', () => {
    expect(advice(said(20, 22, { explanationUrl }))).toMatchObject({ window: window(20, 22), explanationUrl });
  });

  test('are noted as the CA said them even where it is not believed', () => {
    expect(advice(said(70, 72))).toMatchObject({ window: window(70, 72) });
  });

  test('go when the CA says them no more', () => {
    expect(advice(said(40, 42), { certificate: told })).not.toHaveProperty('explanationUrl');
  });

  test.each(['no-offer', 'temporary', 'malformed'] as const)('stay after %s', (kind) => {
    expect(advice({ kind }, { certificate: told })).toMatchObject({ window: window(40, 42), explanationUrl });
    expect(advice({ kind })).toMatchObject({ window: undefined });
  });
});
