import { expect, test } from 'vitest';
import type { Witness } from '../world/happening.ts';
import type { Fact } from './fact.ts';
import { Measurements } from './measurements.ts';

const DAY_MS = 86_400_000;

function measurementsOf(facts: readonly Fact[], appliances = 3): Measurements {
  const measurements = new Measurements({ startMs: 0, lengthMs: 10 * DAY_MS, appliances });
  for (const fact of facts) measurements.note(fact);
  return measurements;
}

const on = (appliance: number, atMs = 0): Fact => ({ atMs, kind: 'powered', appliance, isOn: true });
const connected = (appliance: number, atMs = 0): Fact => ({ atMs, kind: 'connected', appliance });
const installed = (appliance: number, atMs: number, marginMs?: number): Fact => {
  const fact = { atMs, kind: 'installed', appliance, waitedMs: 4_000 } as const;
  return marginMs === undefined ? { ...fact, isFirst: true } : { ...fact, isFirst: false, marginMs };
};
const deed = (atMs: number, what: string, about = ''): Fact => ({ atMs, kind: 'authority', what, about });

test('everything that happens in a world can be measured', () => {
  const measurements = new Measurements({ startMs: 0, appliances: 1 });
  const witness: Witness = (happening) => measurements.note(happening);
  witness({ atMs: 5, kind: 'order-opened', appliance: 0, order: 'o', keyHash: 'k' });
  witness({ atMs: 6, kind: 'installed', appliance: 0, notAfterMs: 9, isFirst: true, waitedMs: 1 });
  expect(measurements.snapshot()).toMatchObject({ happenings: 2, simulatedMs: 6, heads: { certified: 1 } });
});

test('heads are counted once, however often they are told', () => {
  const facts = [
    on(0),
    on(0),
    connected(0),
    connected(0),
    on(1),
    connected(1),
    installed(0, 5),
    installed(0, 9, DAY_MS),
  ];
  expect(measurementsOf(facts).heads).toEqual({ live: 2, connected: 2, certified: 1, expired: 0, onceCertified: 1 });
});

test('one without power is not connected', () => {
  const off: Fact = { atMs: 1, kind: 'powered', appliance: 0, isOn: false };
  const gone: Fact = { atMs: 2, kind: 'disconnected', appliance: 0 };
  expect(measurementsOf([on(0), connected(0), off, gone]).heads).toMatchObject({ live: 0, connected: 0 });
});

test('an ended certificate is expired until the next one, and told apart by its excuse', () => {
  const ended: Fact = { atMs: 10, kind: 'expired', appliance: 0, excuse: 'off' };
  const guilty: Fact = { atMs: 10, kind: 'expired', appliance: 1 };
  const measurements = measurementsOf([installed(0, 1), installed(1, 1), ended, guilty, installed(1, 20, -10)]);
  const { heads, expiries, expiryMarginMs } = measurements.snapshot();
  expect(heads).toMatchObject({ certified: 1, expired: 1, onceCertified: 2 });
  expect(expiries).toEqual({ total: 2, unexcused: 1, byExcuse: { off: 1 } });
  expect(expiryMarginMs.min).toBe(-10);
});

test('clones have numbers beyond those announced', () => {
  expect(measurementsOf([on(0), on(70_000), connected(70_000)], 1).heads).toMatchObject({ live: 2, connected: 1 });
});

test('a storm of a minute shows in an interval of an hour', () => {
  const facts: Fact[] = [on(0), connected(0), { atMs: 2 * DAY_MS, kind: 'disconnected', appliance: 0 }];
  const measurements = measurementsOf([...facts, connected(0, 2 * DAY_MS + 60_000)]);
  const { connected: ends, connectedLow, intervalMs } = measurements.snapshot().series;
  const index = (2 * DAY_MS) / intervalMs;
  expect([ends[index], connectedLow[index], connectedLow[index - 1]]).toEqual([1, 0, 1]);
});

test('what the CA did is told by deed, by limit and over time', () => {
  const measurements = measurementsOf([
    deed(0, 'ordered', 'new'),
    deed(1, 'certified'),
    deed(DAY_MS, 'ordered', 'replacing'),
    deed(DAY_MS, 'limited', 'newOrdersPerAccount'),
  ]);
  const { authority, orders, limits, series } = measurements.snapshot();
  expect(authority).toEqual({ ordered: 2, certified: 1, limited: 1 });
  expect(orders).toEqual({ new: 1, replacing: 1 });
  expect(limits).toEqual({ newOrdersPerAccount: 1 });
  expect(series.orders.filter((count) => count > 0)).toEqual([1, 1]);
  expect(series.limited.at(-1)).toBe(1);
});

test('certificates are told by the CA that issued them, events by the CA that they befell', () => {
  const outage = { atMs: 0, kind: 'event', what: 'authority-outage', phase: 'begins' } as const;
  const certified = { atMs: 1, kind: 'authority', what: 'certified', about: '' } as const;
  const { certificates, events } = measurementsOf([
    outage,
    { ...outage, ca: 1 },
    certified,
    { ...certified, ca: 2 },
    { ...certified, ca: 2 },
  ]).snapshot();
  expect(certificates.byCa).toEqual({ 0: 1, 2: 2 });
  expect(events.map(({ what }) => what)).toEqual(['authority-outage', 'authority-outage, CA 1']);
});

test('orders that the broker opened by itself are told apart', () => {
  const opened = { atMs: 1, kind: 'order-opened' } as const;
  const standIn = { ...opened, isStandIn: true };
  expect(measurementsOf([opened, standIn, standIn]).snapshot().standIns).toBe(2);
});

test('of the CA’s buckets the least that was seen is kept', () => {
  const measurements = measurementsOf([]);
  measurements.sample(0, [{ name: 'orders', left: 40, burst: 300 }]);
  measurements.sample(1_000, [{ name: 'orders', left: 300, burst: 300 }]);
  measurements.sample(DAY_MS, [{ name: 'orders', left: 290, burst: 300 }]);
  const { orders } = measurements.snapshot().series.buckets;
  expect(orders?.burst).toBe(300);
  expect([orders?.left[0], orders?.left.at(-1)]).toEqual([40, 290]);
});

test('a CA with a bucket for every name does not fill memory', () => {
  const measurements = measurementsOf([]);
  for (let name = 0; name < 1_000; name++) measurements.sample(0, [{ name: `name-${name}`, left: 1, burst: 1 }]);
  for (let code = 0; code < 1_000; code++) measurements.note({ atMs: 0, kind: 'problem', code: `code-${code}` });
  const { series, problems } = measurements.snapshot();
  expect(Object.keys(series.buckets).length).toBeLessThan(20);
  expect(Object.keys(problems).length).toBeLessThan(110);
  expect(Object.values(problems).reduce((sum, count) => sum + count, 0)).toBe(1_000);
});

test('flash is told by the year, each appliance from when it appeared', () => {
  const wrote = (appliance: number, bytes: number): Fact => ({
    atMs: 10 * DAY_MS,
    kind: 'flash-written',
    appliance,
    bytes,
  });
  const spread = measurementsOf([on(0), on(1, 5 * DAY_MS), wrote(0, 1_000), wrote(1, 1_000)]).flashBytesPerYear();
  expect(spread).toMatchObject({ count: 2, min: 36_500, max: 73_000 });
});

test('a quiet end counts as time that passed', () => {
  const measurements = measurementsOf([on(0)]);
  measurements.passTo(10 * DAY_MS);
  const { simulatedMs, series } = measurements.snapshot();
  expect(simulatedMs).toBe(10 * DAY_MS);
  expect(series.live.at(-1)).toBe(1);
});
