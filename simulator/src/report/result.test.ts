import { expect, test } from 'vitest';
import { exampleResult, ONE_CERTIFIED } from './example-result.ts';
import { checkDemands, jsonReport, summaryLine } from './result.ts';
import type { Violation } from './result.ts';

const broken: Violation = {
  invariant: 'one-order-at-a-time',
  atMs: 5_000,
  appliance: 1,
  detail: 'a second order',
  lastEvents: ['order-opened'],
  replay: 'npx lanyard-simulator run first-boot --seed 7 --only 1',
};

test('the summary is one line with these fields in this order', () => {
  expect(summaryLine(exampleResult({ facts: ONE_CERTIFIED, violations: [broken] }))).toBe(
    '{"scenario":"first-boot","gear":"virtual","appliances":2,"seed":7,"eventHash":"c0ffee","certified":1,"violations":1,"seconds":1.5,"peakRssMb":120}',
  );
});

test('a run passes when its demands are met and no promise was broken, but for those that it tolerates', () => {
  expect(exampleResult().isPassed).toBe(true);
  expect(exampleResult({ violations: [broken] }).isPassed).toBe(false);
  expect(exampleResult({ violations: [{ ...broken, tolerated: 'comes later' }] }).isPassed).toBe(true);
  expect(exampleResult({ demands: [{ measure: 'certified', atLeast: 1 }] }).isPassed).toBe(false);
});

test('a thousand violations are counted, and the first ones shown', () => {
  const { violations } = exampleResult({ violations: Array.from({ length: 1_000 }, () => broken) });
  expect(violations.total).toBe(1_000);
  expect(violations.shown.length).toBeLessThan(100);
});

test('the JSON report reads back, without figures of nothing', () => {
  const report: unknown = JSON.parse(jsonReport(exampleResult({ facts: ONE_CERTIFIED })));
  expect(report).toMatchObject({ certified: 1, certifiedShare: 0.5, timeToCertificateMs: { count: 1, p99: 4_000 } });
  expect(report).toHaveProperty('timeToRenewalMs.count', 0);
  expect(report).not.toHaveProperty('timeToRenewalMs.p99');
});

test('a demand that asks for nothing known is refused before the run', () => {
  expect(() => checkDemands([{ measure: 'timeToCertificateMs.p99', atMost: '4h' }])).not.toThrow();
  expect(() => checkDemands([{ measure: 'certifed', atLeast: 1 }])).toThrow(/near are certified/);
});
