/** Scenarios with seeds that nobody has tried, for as long as `LANYARD_FRESH_SECONDS` says. */
import { expect, test } from 'vitest';
import { simulator, summaryOf } from './simulator.ts';
import { SIZES } from './sizes.ts';

const seconds = Number(process.env['LANYARD_FRESH_SECONDS'] ?? 0);

test.skipIf(seconds === 0)(`fresh seeds for ${seconds} s`, { timeout: (seconds + 300) * 1_000 }, async () => {
  const failures: string[] = [];
  const untilMs = Date.now() + seconds * 1_000;
  const scenarios = shuffled(Object.entries(SIZES));
  for (let turn = 0; Date.now() < untilMs; turn++) {
    const [scenario, appliances] = scenarios[turn % scenarios.length] ?? ['first-boot', 1];
    // Without --seed the simulator throws one, and tells it.
    const ended = await simulator('run', scenario, '--gear', 'virtual', '--appliances', appliances);
    const { seed } = summaryOf(ended);
    const replay = `npx lanyard-simulator run ${scenario} --gear virtual --appliances ${appliances} --seed ${seed}`;
    process.stdout.write(`${ended.code === 0 ? 'held  ' : 'FAILED'} ${replay}\n`);
    if (ended.code !== 0) failures.push(`${replay}\n${ended.report}`);
  }
  expect(failures.join('\n\n')).toBe('');
});

/** So that a short box does not try the same few every time. */
function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, roll: Math.random() }))
    .toSorted((a, b) => a.roll - b.roll)
    .map(({ item }) => item);
}
