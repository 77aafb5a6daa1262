import { describe, expect, test } from 'vitest';
import { AuthorityDouble } from './authority-double.ts';
import { VirtualClock } from '@lanyard/sdk/testing';
import { Issuers } from './issuers.ts';
import type { Issuer } from './issuers.ts';
import type { Detours, Order, OrderState } from './order.ts';

const NOW_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const PATIENCE_MS = 15 * MINUTE_MS;

const authority = new AuthorityDouble({ clock: new VirtualClock(), txt: () => [] });

interface Weather {
  readonly awaySinceMs?: number;
  readonly opensAtMs?: number;
}

function issuer(id: string, { awaySinceMs, opensAtMs = NOW_MS }: Weather = {}): Issuer {
  const gate = {
    opensAtMs: () => opensAtMs,
    awaySinceMs: () => awaySinceMs,
    pass() {},
    answered() {},
    away() {},
    busy() {},
  };
  return { terms: { id, limits: {}, renewals: 'exempt' }, authority, gate };
}

/** Away for so many minutes, and tried again in one. */
function away(id: string, minutes: number): Issuer {
  return issuer(id, { awaySinceMs: NOW_MS - minutes * MINUTE_MS, opensAtMs: NOW_MS + MINUTE_MS });
}

function issuers(...ranked: readonly Issuer[]): Issuers {
  return new Issuers({ ranked, patienceMs: PATIENCE_MS });
}

function order(state: OrderState['kind'] = 'waiting', detours?: Detours, at?: string): Order {
  const pace = { notBeforeMs: NOW_MS, tries: 0 };
  const given = state === 'waiting' ? { kind: state, ...pace } : stateAtCa(state);
  const names = ['a.devices.example.com'];
  const what = { id: 'o', deviceId: 'd', names, keyHash: 'k', csr: new Uint8Array(), requestedAtMs: 0, failures: 0 };
  const placement = at === undefined ? undefined : ({ authority: at, kind: 'new' } as const);
  return { ...what, ...(detours && { detours }), ...(placement && { placement }), state: given };
}

function stateAtCa(kind: OrderState['kind']): OrderState {
  const atCa = { orderUrl: 'https://ca.test/1', challenges: [], notBeforeMs: NOW_MS, tries: 0 };
  return kind === 'collecting' ? { kind, ...atCa } : { kind: 'proving', ...atCa };
}

function chosen(all: Issuers, given: Order = order()): readonly string[] | number {
  const choice = all.choose(given, NOW_MS);
  return choice.kind === 'ask' ? choice.among.map(({ terms }) => terms.id) : (choice.untilMs - NOW_MS) / MINUTE_MS;
}

describe('an order that waits', () => {
  const avoiding = (...ids: readonly string[]): Order =>
    order('waiting', { avoids: ids.map((id) => ({ authority: id, untilMs: NOW_MS + DAY_MS })) });

  /** The CAs in the order in which they are asked, or in how many minutes to look again. */
  const CASES: Record<string, [all: Issuers, given: Order, expected: readonly string[] | number]> = {
    'goes to the first, and to the next where there is no room': [
      issuers(issuer('a'), issuer('b')),
      order(),
      ['a', 'b'],
    ],
    'waits for one that has been away for a moment': [issuers(away('a', 1), issuer('b')), order(), 1],
    'goes to the next when the first has been away for long': [issuers(away('a', 15), issuer('b')), order(), ['b']],
    'waits for the end of patience, should that come first': [
      issuers(issuer('a', { awaySinceMs: NOW_MS - 5 * MINUTE_MS, opensAtMs: NOW_MS + DAY_MS }), issuer('b')),
      order(),
      10,
    ],
    'waits for one that is asked as fast as it allows': [
      issuers(issuer('a', { opensAtMs: NOW_MS + MINUTE_MS }), issuer('b')),
      order(),
      1,
    ],
    'waits when all are away': [issuers(away('a', 60), away('b', 60)), order(), 1],
    'waits for the only one, however long': [issuers(away('a', 10_000)), order(), 1],
    'passes by whoever has refused it': [issuers(issuer('a'), issuer('b')), avoiding('a'), ['b']],
    'waits when all have refused it': [issuers(issuer('a'), issuer('b')), avoiding('a', 'b'), DAY_MS / MINUTE_MS],
    'goes where it was refused once that is over': [
      issuers(issuer('a')),
      order('waiting', { avoids: [{ authority: 'a', untilMs: NOW_MS }] }),
      ['a'],
    ],
    'takes a second that is away for the third': [issuers(away('a', 60), away('b', 60), issuer('c')), order(), ['c']],
  };
  test.each(Object.entries(CASES))('%s', (_what, [all, given, expected]) => {
    expect(chosen(all, given)).toEqual(expected);
  });

  describe('and has to be rehearsed', () => {
    const due = order('waiting', { rehearsal: 'due' });
    const at = (rehearsal: Issuer | undefined): Issuers =>
      new Issuers({ ranked: [issuer('a')], ...(rehearsal && { rehearsal }), patienceMs: PATIENCE_MS });

    test.each([
      ['goes to the CA for that', issuer('staging'), due, ['staging']],
      ['waits for it when it is away for a moment', away('staging', 1), due, 1],
      ['goes where it counts when that is away for long', away('staging', 60), due, ['a']],
      ['goes where it counts when there is none', undefined, due, ['a']],
      ['goes where it counts when it has passed', issuer('staging'), order('waiting', { rehearsal: 'passed' }), ['a']],
    ])('%s', (_what, rehearsal, given, expected) => {
      expect(chosen(at(rehearsal), given)).toEqual(expected);
    });
  });

  test.each([
    ['at once when one is there', issuers(issuer('a')), 0],
    ['at once when the first has been away for long and the next is there', issuers(away('a', 15), issuer('b')), 0],
    ['when the first is tried again', issuers(away('a', 1), issuer('b')), 1],
    [
      'when the next takes over, should that be before',
      issuers(issuer('a', { awaySinceMs: NOW_MS - 5 * MINUTE_MS, opensAtMs: NOW_MS + DAY_MS }), issuer('b')),
      10,
    ],
  ])('is looked at %s', (_what, all, minutes) => {
    expect((all.placesAtMs(NOW_MS) - NOW_MS) / MINUTE_MS).toBe(minutes);
  });
});

describe('an order at a CA', () => {
  const CASES: Record<string, [all: Issuers, given: Order, expected: object]> = {
    'goes on': [issuers(issuer('a')), order('proving', undefined, 'a'), { kind: 'open' }],
    'that is away for a moment waits': [
      issuers(away('a', 1), issuer('b')),
      order('proving', undefined, 'a'),
      { kind: 'closed', untilMs: NOW_MS + MINUTE_MS },
    ],
    'that has been away for long is left': [
      issuers(away('a', 15), issuer('b')),
      order('proving', undefined, 'a'),
      { kind: 'given-up' },
    ],
    'that is away alone waits however long': [
      issuers(away('a', 10_000)),
      order('proving', undefined, 'a'),
      { kind: 'closed', untilMs: NOW_MS + MINUTE_MS },
    ],
    'that was finalized waits for a day': [
      issuers(away('a', 1_439), issuer('b')),
      order('collecting', undefined, 'a'),
      { kind: 'closed', untilMs: NOW_MS + MINUTE_MS },
    ],
    'that was finalized is left after a day': [
      issuers(away('a', 1_440), issuer('b')),
      order('collecting', undefined, 'a'),
      { kind: 'given-up' },
    ],
    'that the settings name no more is left': [
      issuers(issuer('b')),
      order('proving', undefined, 'a'),
      { kind: 'given-up' },
    ],
    'of before there was more than one is at the first': [issuers(issuer('a')), order('proving'), { kind: 'open' }],
  };
  test.each(Object.entries(CASES))('%s', (_what, [all, given, expected]) => {
    expect(all.prospect(given, NOW_MS)).toMatchObject(expected);
  });

  test('may be refused when another has not refused it', () => {
    const all = issuers(issuer('a'), issuer('b'));
    expect(all.hasOtherFor(order('proving', undefined, 'a'), NOW_MS)).toBe(true);
    const avoids = [{ authority: 'b', untilMs: NOW_MS + 1 }];
    expect(all.hasOtherFor(order('proving', { avoids }, 'a'), NOW_MS)).toBe(false);
    expect(issuers(issuer('a')).hasOtherFor(order('proving', undefined, 'a'), NOW_MS)).toBe(false);
  });
});
