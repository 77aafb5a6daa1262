import { seededRandom } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { combine } from './combine.ts';
import type { Fact } from './fact.ts';
import { Measurements } from './measurements.ts';

const HOUR_MS = 3_600_000;
const plan = { startMs: 0, lengthMs: 100 * HOUR_MS, appliances: 40 };

/** A fleet's hundred hours, each appliance at its own pace. */
function facts(): readonly Fact[] {
  const random = seededRandom(5);
  const all: Fact[] = [];
  for (let appliance = 0; appliance < plan.appliances; appliance++) {
    const bornMs = random.uniform() * HOUR_MS;
    const waitedMs = random.uniform() * 60_000;
    all.push({ atMs: bornMs, kind: 'powered', appliance, isOn: true }, { atMs: bornMs, kind: 'connected', appliance });
    all.push({ atMs: bornMs + 5, kind: 'flash-written', appliance, bytes: 1_000 + appliance });
    all.push({ atMs: bornMs + waitedMs, kind: 'installed', appliance, isFirst: true, waitedMs });
    all.push({ atMs: bornMs + waitedMs, kind: 'authority', what: 'certified', about: 'k' });
    if (appliance % 3 === 0) all.push({ atMs: 50 * HOUR_MS, kind: 'expired', appliance, excuse: 'CA down' });
    if (appliance % 5 === 0) all.push({ atMs: 60 * HOUR_MS, kind: 'problem', code: 'broker-unreachable' });
  }
  return all.toSorted((one, other) => one.atMs - other.atMs);
}

function measured(isMine: (appliance: number) => boolean): Measurements {
  const measurements = new Measurements(plan);
  // Problems and deeds are nobody's: they go with whoever came before them.
  let last = 0;
  for (const fact of facts()) {
    last = 'appliance' in fact ? fact.appliance : last;
    if (isMine(last)) measurements.note(fact);
  }
  measurements.passTo(plan.lengthMs);
  return measurements;
}

test('two halves of a fleet add up to the whole', () => {
  const whole = measured(() => true);
  const halves = combine([measured((n) => n % 2 === 0).parcel(), measured((n) => n % 2 === 1).parcel()]);
  const { series, timeToCertificateMs, ...rest } = whole.snapshot();
  const combined = halves.snapshot;
  expect(combined).toMatchObject(rest);
  expect({ ...combined.timeToCertificateMs, mean: 0 }).toEqual({ ...timeToCertificateMs, mean: 0 });
  expect(combined.timeToCertificateMs.mean).toBeCloseTo(timeToCertificateMs.mean ?? 0);
  expect(combined.series.certified).toEqual(series.certified);
  expect(combined.series.certificates).toEqual(series.certificates);
  expect(halves.flashBytesPerYear).toEqual(whole.flashBytesPerYear());
});

test('one part alone is the whole', () => {
  const whole = measured(() => true);
  expect(combine([whole.parcel()]).snapshot).toEqual(whole.snapshot());
});
