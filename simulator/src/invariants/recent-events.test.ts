import { expect, test } from 'vitest';
import { RecentEvents } from './recent-events.ts';

test('what concerns an appliance or everybody, the latest last', () => {
  const recent = new RecentEvents({ capacity: 4 });
  const connected = (atMs: number, appliance: number): void => recent.add({ atMs, kind: 'connected', appliance });
  expect(recent.about(1, 3)).toEqual([]);
  connected(1, 1);
  connected(2, 2);
  recent.add({ atMs: 3, kind: 'broker', what: 'killed' });
  connected(4, 1);
  expect(recent.about(1, 9)).toEqual(['1 connected #1', '3 broker killed', '4 connected #1']);
  expect(recent.about(1, 2)).toEqual(['3 broker killed', '4 connected #1']);
  connected(5, 2);
  connected(6, 1);
  expect(recent.about(1, 9)).toEqual(['3 broker killed', '4 connected #1', '6 connected #1']);
});
