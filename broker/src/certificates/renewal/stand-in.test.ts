import { describe, expect, test } from 'vitest';
import type { Order } from '../order.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import { asleepSince, decideStandIn, judgeAbsence, unattendedAt } from './stand-in.ts';

const DAY_MS = 86_400_000;
const NAME = 'a.devices.example.com';
const CSR = Uint8Array.of(1, 2, 3);

/** Issued at 0. */
const certificate: StoredCertificate = {
  deviceId: 'appliance-1',
  orderId: 'order-1',
  names: [NAME],
  fingerprint: 'f',
  keyHash: 'key-1',
  serial: '01',
  notBeforeMs: 0,
  notAfterMs: 90 * DAY_MS,
  issuedAtMs: 0,
  authority: 'ca',
  renewAtMs: 60 * DAY_MS,
  unattendedAtMs: 75 * DAY_MS,
};

test('half of what is left when the renewal is due is the appliance’s, half the broker’s', () => {
  expect(unattendedAt(certificate)).toBe(75 * DAY_MS);
  expect(unattendedAt({ renewAtMs: 30 * DAY_MS, notAfterMs: 45 * DAY_MS })).toBe(37.5 * DAY_MS);
});

describe('an appliance', () => {
  const TABLE: readonly (readonly [string, Partial<StoredCertificate>, number])[] = [
    ['from the renewal that it did not ask for', {}, 60],
    ['from the one before, when this one was ordered in its absence', { asleepSinceMs: 5 * DAY_MS }, 5],
    ['anew, when it has installed that', { asleepSinceMs: 5 * DAY_MS, installedAtMs: 1 }, 60],
  ];
  for (const [when, facts, days] of TABLE) {
    test(`is missed ${when}`, () => expect(asleepSince({ ...certificate, ...facts })).toBe(days * DAY_MS));
  }
});

describe('the broker', () => {
  const absence = { certificate, ownNames: [NAME], cutOffMs: 100 * DAY_MS, nowMs: 75 * DAY_MS };
  const revocation = { reason: 'key-compromise', atMs: 1 } as const;

  test('stands in for an appliance that did not ask', () => {
    expect(judgeAbsence(absence)).toEqual({ kind: 'order', asleepSinceMs: 60 * DAY_MS });
  });

  test('stands in until the cut-off, and not after it', () => {
    expect(judgeAbsence({ ...absence, nowMs: 160 * DAY_MS }).kind).toBe('order');
    expect(judgeAbsence({ ...absence, nowMs: 160 * DAY_MS + 1 }).kind).toBe('leave');
    const again = { ...certificate, asleepSinceMs: -26 * DAY_MS };
    expect(judgeAbsence({ ...absence, certificate: again }).kind).toBe('leave');
    expect(judgeAbsence({ ...absence, cutOffMs: 0 }).kind).toBe('leave');
  });

  const REASONS: readonly (readonly [string, Partial<typeof absence> | { ownNames: undefined }])[] = [
    ['it was revoked', { certificate: { ...certificate, revocation } }],
    ['the appliance is disabled or unknown', { ownNames: undefined }],
    ['its names are not the appliance’s', { ownNames: ['b.devices.example.com'] }],
  ];
  for (const [why, facts] of REASONS) {
    test(`does not when ${why}`, () => expect(judgeAbsence({ ...absence, ...facts })).toEqual({ kind: 'leave', why }));
  }
});

/** What a sequence of stand-ins comes to: the days after the first missed renewal on which one is ordered. */
function daysOf(lifeDays: number, renewAt: number, cutOffDays: number): readonly number[] {
  const days: number[] = [];
  let issuedAtMs = 0;
  let asleepSinceMs: number | undefined;
  for (;;) {
    const times = { issuedAtMs, renewAtMs: issuedAtMs + renewAt * DAY_MS, notAfterMs: issuedAtMs + lifeDays * DAY_MS };
    const mark = asleepSinceMs === undefined ? {} : { asleepSinceMs };
    const nowMs = unattendedAt(times);
    const absence = { certificate: { ...certificate, ...times, ...mark }, ownNames: [NAME], nowMs };
    const answer = judgeAbsence({ ...absence, cutOffMs: cutOffDays * DAY_MS });
    if (answer.kind === 'leave') return days;
    asleepSinceMs = answer.asleepSinceMs;
    issuedAtMs = nowMs;
    days.push(Math.round((nowMs - asleepSinceMs) / DAY_MS));
  }
}

describe('with the default of 100 days, as docs/operating.md says', () => {
  const TABLE: readonly (readonly [number, number, readonly number[]])[] = [
    [90, 60, [15, 90]],
    [64, 128 / 3, [11, 64]],
    [45, 30, [8, 45, 83]],
  ];
  for (const [lifeDays, renewAt, days] of TABLE) {
    test(`certificates of ${lifeDays} days`, () => {
      expect(daysOf(lifeDays, renewAt, 100)).toEqual(days);
      // A window of 2 % of life moves them: chance must not decide how many there are.
      for (const moved of [0.99, 1.01])
        expect(daysOf(lifeDays * moved, renewAt * moved, 100)).toHaveLength(days.length);
    });
  }
});

describe('the store', () => {
  const facts = { openOrder: undefined, latestCertificate: certificate, csr: CSR };
  const nowMs = 75 * DAY_MS;
  const wish = { deviceId: 'appliance-1', fingerprint: 'f', orderId: 'order-2', asleepSinceMs: 60 * DAY_MS, nowMs };
  const order: Order = {
    id: 'order-2',
    deviceId: 'appliance-1',
    names: [NAME],
    keyHash: 'key-1',
    csr: CSR,
    requestedAtMs: nowMs,
    failures: 0,
    purpose: { kind: 'renewal', expiresAtMs: 90 * DAY_MS },
    asleepSinceMs: 60 * DAY_MS,
    state: { kind: 'waiting', notBeforeMs: nowMs, tries: 0 },
  };

  test('opens an order for the same key and names', () => {
    expect(decideStandIn(facts, wish)).toEqual({ kind: 'open', order });
  });

  test('opens no replacement, though the window of the CA is over: whoever is awake goes first', () => {
    const late = { ...certificate, window: { startMs: 0, endMs: 1 } };
    expect(decideStandIn({ ...facts, latestCertificate: late }, wish)).toEqual({ kind: 'open', order });
  });

  test('opens one of the lowest priority when the certificate has expired', () => {
    const decision = decideStandIn(facts, { ...wish, nowMs: 90 * DAY_MS });
    expect(decision).toMatchObject({ kind: 'open', order: { purpose: { kind: 're-enrolment' } } });
  });

  const { unattendedAtMs: _done, ...left } = certificate;
  const TABLE: readonly (readonly [string, Partial<Record<keyof typeof facts, unknown>>, string])[] = [
    ['the appliance has asked', { openOrder: order }, 'never'],
    ['there is no certificate', { latestCertificate: undefined }, 'never'],
    ['a newer certificate is there', { latestCertificate: { ...certificate, fingerprint: 'g' } }, 'never'],
    ['it is not to be renewed any more', { latestCertificate: left }, 'never'],
    ['its request is not on file', { csr: undefined }, 'never'],
    ['its request was forgotten', { csr: new Uint8Array() }, 'never'],
    ['its renewal was moved', { latestCertificate: { ...certificate, unattendedAtMs: nowMs + 1 } }, 'later'],
  ];
  for (const [when, change, kind] of TABLE) {
    test(`opens nothing when ${when}`, () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table changes one fact at a time
      const changed = { ...facts, ...change } as Parameters<typeof decideStandIn>[0];
      expect(decideStandIn(changed, wish)).toEqual({ kind });
    });
  }
});
