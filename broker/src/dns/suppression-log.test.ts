import { silentLogger, type LogFields } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { SuppressionLog } from './suppression-log.ts';

function startLog() {
  const clock = new VirtualClock();
  const lines: LogFields[] = [];
  const log = new SuppressionLog({ clock, log: { ...silentLogger, warn: (fields) => void lines.push(fields) } });
  return { clock, lines, log };
}

test('what was held back in a minute is one line', async () => {
  const { clock, lines, log } = startLog();
  log.note('drop', '192.0.2.1');
  for (let count = 0; count < 1000; count++) log.note(count % 2 === 0 ? 'slip' : 'drop', '192.0.2.2');
  await clock.advance(59_999);
  expect(lines).toEqual([]);
  await clock.advance(1);
  expect(lines).toEqual([{ slipped: 500, dropped: 501, example: '192.0.2.1' }]);
  log.note('slip', '192.0.2.3');
  await clock.advance(60_000);
  expect(lines.slice(1)).toEqual([{ slipped: 1, dropped: 0, example: '192.0.2.3' }]);
});

test('nothing is held back, nothing is said, and nothing waits', async () => {
  const { clock, lines, log } = startLog();
  log.note('drop', '192.0.2.1');
  await clock.advance(60_000);
  expect(clock.nextTimerMs()).toBeUndefined();
  await clock.advance(3_600_000);
  expect(lines).toHaveLength(1);
});

test('stopping leaves no timer behind', () => {
  const { clock, log } = startLog();
  log.note('drop', '192.0.2.1');
  log.stop();
  expect(clock.nextTimerMs()).toBeUndefined();
});
