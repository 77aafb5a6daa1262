import { expect, test } from 'vitest';
import { stubCrypto } from '../gears/virtual/crypto.ts';
import { runVirtual } from '../gears/virtual/run-virtual.ts';
import { START_MS } from '../gears/virtual/virtual-world.ts';
import { NO_FACTS } from './test-facts.ts';
import { smallScenario, watchedRun } from './test-run.ts';
import { violationText } from './violation-text.ts';
import { Watch } from './watch.ts';

const REPLAY = { scenario: 'small', appliances: 5, seed: 1 };
const FACTS = { ...NO_FACTS, appliances: 5, nowMs: () => START_MS + 9_500 };

test('a violation says all that is needed to look into it', () => {
  const watch = new Watch({ startMs: START_MS, replay: REPLAY });
  const witness = watch.begin(FACTS);
  witness({ atMs: START_MS, kind: 'broker', what: 'started' });
  witness({ atMs: START_MS + 2_000, kind: 'connected', appliance: 3 });
  witness({ atMs: START_MS + 3_000, kind: 'connected', appliance: 2 });
  witness({ atMs: START_MS + 9_500, kind: 'expired', appliance: 3 });
  const [violation] = watch.violations().shown;
  expect(violation && violationText(violation, { seed: 1, startMs: START_MS })).toBe(
    [
      'broken: no-live-appliance-expires',
      '  2026-11-23T00:00:09.500Z, seed 1, appliance 3: its certificate ended, although nothing stood in the way of a new one',
      '  before that:',
      `    ${START_MS} broker started`,
      `    ${START_MS + 2_000} connected #3`,
      `    ${START_MS + 9_500} expired #3`,
      '  again: npx lanyard-simulator run small --gear virtual --appliances 5 --seed 1 --until 10s',
      '  if it takes no other appliance: npx lanyard-simulator run small --gear virtual --appliances 5 --seed 1 --until 10s --only 3',
    ].join('\n'),
  );
});

test('in a shard an appliance is called by its number in the fleet', () => {
  const watch = new Watch({ startMs: START_MS, replay: { ...REPLAY, shards: 4, shard: 1 } });
  watch.begin(FACTS)({ atMs: START_MS, kind: 'expired', appliance: 3 });
  expect(watch.violations().shown).toMatchObject([
    { appliance: 13, replay: expect.stringContaining('--seed 1 --shards 4 --until 1s') },
  ]);
});

test('all are counted, the first are kept, and one invariant does not crowd out another', () => {
  const told: string[] = [];
  const onViolation = ({ invariant }: { invariant: string }): void => void told.push(invariant);
  const watch = new Watch({ startMs: START_MS, replay: REPLAY, onViolation });
  const witness = watch.begin(FACTS);
  for (let atMs = START_MS; atMs < START_MS + 1_000; atMs++) witness({ atMs, kind: 'expired', appliance: 1 });
  witness({ atMs: START_MS + 1_000, kind: 'authority', what: 'overdrawn', about: 'newOrdersPerAccount' });
  const { total, shown, byInvariant } = watch.violations();
  expect({ total, byInvariant }).toEqual({
    total: 1_001,
    byInvariant: { 'no-live-appliance-expires': 1_000, 'within-ca-limits': 1 },
  });
  expect(shown).toHaveLength(26);
  expect(told).toEqual(shown.map(({ invariant }) => invariant));
});

test('what a scenario tolerates is counted apart', () => {
  const tolerated = [{ invariant: 'no-live-appliance-expires', because: 'nobody renews yet' }];
  const watch = new Watch({ startMs: START_MS, replay: REPLAY, tolerated });
  watch.begin(FACTS)({ atMs: START_MS, kind: 'expired', appliance: 1 });
  expect(watch.violations()).toMatchObject({ total: 0, tolerated: 1, shown: [{ tolerated: 'nobody renews yet' }] });
});

test('what is not watched cannot be tolerated', () => {
  const tolerated = [{ invariant: 'no-live-aplliance-expires', because: 'a slip of the pen' }];
  expect(() => new Watch({ startMs: START_MS, replay: REPLAY, tolerated })).toThrow(
    /^there is no invariant "no-live-aplliance-expires" to tolerate; there are no-live-appliance-expires, /,
  );
});

test('the end of the world is nobody’s violation', () => {
  const watch = new Watch({ startMs: START_MS, replay: REPLAY });
  const witness = watch.begin(FACTS);
  watch.finish();
  witness({ atMs: START_MS, kind: 'expired', appliance: 1 });
  expect(watch.violations().total).toBe(0);
});

test('watching changes nothing', async () => {
  const { eventHash } = await watchedRun({ for: '5d', appliances: 4 });
  const scenario = smallScenario({ for: '5d' });
  const unwatched = await runVirtual({ scenario, appliances: 4, seed: 1, crypto: stubCrypto(), witnesses: () => [] });
  expect(eventHash).toBe(unwatched.eventHash);
});
