import { expect, test } from 'vitest';
import type { Demand } from './demands.ts';
import { exampleResult, ONE_CERTIFIED } from './example-result.ts';

const judged = (demand: Demand) => exampleResult({ facts: ONE_CERTIFIED, demands: [demand] }).demands[0];

test.each<[Demand, boolean]>([
  [{ measure: 'certified', atLeast: 1 }, true],
  [{ measure: 'certified', atLeast: 2 }, false],
  [{ measure: 'certifiedShare', atLeast: 0.5, atMost: 0.5 }, true],
  [{ measure: 'timeToCertificateMs.p99', atMost: '5s' }, true],
  [{ measure: 'timeToCertificateMs.p99', atMost: '3s' }, false],
  [{ measure: 'timeToCertificateMs.p99', atMost: 3_999 }, false],
  [{ measure: 'authority.ordered', atMost: 1 }, true],
  [{ measure: 'violations.total', atMost: 0 }, true],
  [{ measure: 'flashBytesPerYear.max', atMost: 0 }, true],
  [{ measure: 'heads.expired', atMost: 0 }, true],
])('%o is met: %s', (demand, isMet) => {
  expect(judged(demand)).toMatchObject({ measure: demand.measure, isMet });
});

test('a figure per appliance says the same of fleets of any size', () => {
  const finding = judged({ measure: 'certified', per: 'appliance', atLeast: 0.5, atMost: 0.5 });
  expect(finding).toMatchObject({ measure: 'certified per appliance', found: 0.5, isMet: true });
  expect(judged({ measure: 'authority.limited', per: 'appliance', atLeast: 1 })).toMatchObject({ found: 0 });
});

test('a figure per shard says what one broker and its CA saw of each other', () => {
  const demands: readonly Demand[] = [{ measure: 'certified', per: 'shard', atMost: 0.5 }];
  const foundIn = (run: object) => exampleResult({ facts: ONE_CERTIFIED, run, demands }).demands[0];
  expect(foundIn({ shards: 2 })).toMatchObject({ measure: 'certified per shard', found: 0.5, isMet: true });
  expect(foundIn({})).toMatchObject({ found: 1, isMet: false });
});

test('of a series the least and the most can be demanded', () => {
  expect(judged({ measure: 'series.orders.max', atLeast: 1 })).toMatchObject({ found: 1, isMet: true });
  expect(judged({ measure: 'series.orders.min', atLeast: 2 })).toMatchObject({ isMet: false });
  expect(judged({ measure: 'series.limited.max', atMost: 0 })).toMatchObject({ found: 0, isMet: true });
});

test('a count of what never happened is 0', () => {
  expect(judged({ measure: 'authority.limited', atMost: 0 })).toMatchObject({ found: 0, isMet: true });
  expect(judged({ measure: 'problems.broker-refused', atLeast: 1 })).toMatchObject({ found: 0, isMet: false });
});

test('what happened to nobody happened to nobody in time', () => {
  const finding = judged({ measure: 'timeToRenewalMs.p99', atMost: '1h' });
  expect(finding).toMatchObject({ isMet: false, foundText: 'nothing to measure' });
  expect(finding).not.toHaveProperty('found');
});

test('a finding reads as people write it', () => {
  const demand = { measure: 'timeToCertificateMs.max', atLeast: '1s', atMost: '1.5h', because: 'promise P2' };
  expect(judged(demand)).toMatchObject({
    foundText: '4s',
    wantedText: 'at least 1s, at most 1h 30m',
    because: 'promise P2',
  });
});

test('an unknown measure is refused with names near to it', () => {
  expect(() => judged({ measure: 'timeToCertficateMs.p98', atMost: '1h' })).toThrow(
    /"timeToCertficateMs\.p98"; near are timeToCertificateMs\.p9/,
  );
});

test.each<[Demand, RegExp]>([
  [{ measure: 'certified' }, /needs atLeast or atMost/],
  [{ measure: 'timeToCertificateMs.p99', atMost: 'soon' }, /neither a number nor a duration/],
  [{ measure: 'certified', atMost: '4h' }, /is no duration/],
  [{ measure: 'timeToCertificateMs.count', atMost: '4h' }, /is no duration/],
  [{ measure: 'authority.', atMost: 4 }, /nothing is measured/],
  [{ measure: 'series.live', atMost: 4 }, /nothing is measured/],
  [{ measure: 'scenario', atMost: 4 }, /nothing is measured/],
])('%o is refused', (demand, why) => {
  expect(() => judged(demand)).toThrow(why);
});
