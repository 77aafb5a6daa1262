import type { CertificateFacts } from '@lanyard/sdk';
import { VirtualClock } from '@lanyard/sdk/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FaultSettings } from '../../world/authority/faults.ts';
import { NO_FAULTS } from '../../world/authority/faults.ts';
import type { Box } from './box.ts';
import { Excuses } from './excuses.ts';
import type { ExcusesParts } from './excuses.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let clock: VirtualClock;
let faults: FaultSettings;
/** With these CAs besides the first. */
let make: (more?: readonly { readonly controls: { readonly faults: FaultSettings } }[]) => void;
let broker: object | undefined;
let box: Record<'isOn' | 'certificate' | 'reachableSinceMs' | 'flash', unknown>;
let excuses: Excuses;

beforeEach(async () => {
  clock = new VirtualClock();
  faults = NO_FAULTS;
  broker = {};
  const notBeforeMs = clock.nowMs();
  const certificate: CertificateFacts = {
    names: [],
    fingerprint: '',
    notBeforeMs,
    notAfterMs: notBeforeMs + 90 * DAY_MS,
  };
  box = { isOn: true, certificate, reachableSinceMs: notBeforeMs, flash: { isBroken: false } };
  const vendor = {
    get broker() {
      return broker;
    },
  };
  const controls = {
    get faults() {
      return faults;
    },
  };
  make = (more = []) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no more of them is looked at
    excuses = new Excuses({ clock, vendor, models: [{ controls }, ...more] } as unknown as ExcusesParts);
  };
  make();
  await clock.advance(88 * DAY_MS);
});

/** What is said when the certificate ends, 90 days after the start. */
async function excuse(): Promise<string | undefined> {
  await clock.advance(90 * DAY_MS - clock.monotonicMs());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no more of it is looked at
  return excuses.forExpiryOf(box as unknown as Box);
}

function fail(change: Partial<FaultSettings>): void {
  faults = { ...NO_FAULTS, ...change };
  excuses.authorityChanged(0);
}

test('when nothing stood in the way there is no excuse', async () => {
  expect(await excuse()).toBeUndefined();
});

/** Ninety days of life: whoever had the last day had time enough. */
describe.each<[string, () => void, string]>([
  ['the broker came up', () => excuses.brokerStarted(), 'broker down'],
  ['the appliance became reachable', () => void (box.reachableSinceMs = clock.nowMs()), 'unreachable'],
  ['the CA’s limits refused an order', () => excuses.limited(0), 'CA limits'],
  ['the CA came back', () => (fail({ isUnreachable: true }), fail({})), 'CA down'],
])('%s', (_, happen, why) => {
  test('less than a day before the end: that is why', async () => {
    await clock.advance(DAY_MS + HOUR_MS);
    happen();
    expect(await excuse()).toBe(why);
  });

  test('more than a day before the end: time enough was left', async () => {
    await clock.advance(DAY_MS - HOUR_MS);
    happen();
    expect(await excuse()).toBeUndefined();
  });
});

test('a life of six days has a fifteenth of that patience', async () => {
  const notAfterMs = clock.monotonicMs() + 2 * DAY_MS;
  box.certificate = { notBeforeMs: notAfterMs - 6 * DAY_MS, notAfterMs };
  await clock.advance(2 * DAY_MS - 2 * HOUR_MS);
  excuses.brokerStarted();
  expect(await excuse()).toBeUndefined();
  excuses.brokerStarted();
  expect(await excuse()).toBe('broker down');
});

describe('as it stands when the certificate ends', () => {
  test.each<[string, () => void]>([
    ['switched off', () => void (box.isOn = false)],
    ['unreachable', () => void (box.reachableSinceMs = undefined)],
    ['flash cannot be written', () => void (box.flash = { isBroken: true })],
    ['broker down', () => void (broker = undefined)],
  ])('%s', async (why, happen) => {
    happen();
    expect(await excuse()).toBe(why);
  });

  test.each<Partial<FaultSettings>>([
    { isUnreachable: true },
    { isFailing: true },
    { cutShare: 0.5 },
    { certificate: 'other-key' },
  ])('the CA fails: %o', async (fault) => {
    fail(fault);
    expect(await excuse()).toBe('CA down');
  });

  test('a CA that is only slow is no excuse', async () => {
    fail({ slowMs: 1_000 });
    await clock.advance(DAY_MS - HOUR_MS);
    expect(await excuse()).toBeUndefined();
  });
});

describe('with a second CA', () => {
  const second = { controls: { faults: NO_FAULTS } };

  beforeEach(() => {
    second.controls.faults = NO_FAULTS;
    make([second]);
  });

  const failSecond = (change: Partial<FaultSettings>): void => {
    second.controls.faults = { ...NO_FAULTS, ...change };
    excuses.authorityChanged(1);
  };

  test('that was there, an outage of the first is no excuse', async () => {
    await clock.advance(DAY_MS - HOUR_MS);
    fail({ isUnreachable: true });
    expect(await excuse()).toBeUndefined();
  });

  test.each<[string, () => void]>([
    ['fails', () => failSecond({ isFailing: true })],
    ['has just come back', () => excuses.authorityChanged(1)],
    ['has no room', () => excuses.limited(1)],
  ])('that %s, it is one', async (_, happen) => {
    await clock.advance(DAY_MS + HOUR_MS);
    fail({ isUnreachable: true });
    happen();
    expect(await excuse()).toBe('CA down');
  });

  test('an outage of the second alone is no excuse', async () => {
    failSecond({ isUnreachable: true });
    await clock.advance(DAY_MS - HOUR_MS);
    expect(await excuse()).toBeUndefined();
  });
});
