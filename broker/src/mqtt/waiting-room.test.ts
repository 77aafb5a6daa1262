import { VirtualClock } from '@lanyard/sdk/testing';
import { expect, test, vi } from 'vitest';
import { WaitingRoom } from './waiting-room.ts';

const noop = (): void => undefined;

function makeRoom(clock = new VirtualClock()): WaitingRoom {
  return new WaitingRoom({ limits: { maxWaiting: 4, maxWaitingPerAddress: 2 }, clock });
}

test('one address gets only its share, and gets it back when somebody leaves', () => {
  const room = makeRoom();
  const [first, second, third] = [room.enter(noop), room.enter(noop), room.enter(noop)];
  expect(first?.moveTo('192.0.2.1')).toBe(true);
  expect(second?.moveTo('::ffff:192.0.2.1')).toBe(true);
  expect(third?.moveTo('192.0.2.1')).toBe(false);
  expect(third?.moveTo('192.0.2.2')).toBe(true);
  first?.leave();
  expect(room.enter(noop)?.moveTo('192.0.2.1')).toBe(true);
});

test('all addresses of one IPv6 /64 are one source', () => {
  const room = makeRoom();
  expect(room.enter(noop)?.moveTo('2001:db8::1')).toBe(true);
  expect(room.enter(noop)?.moveTo('2001:0db8:0:0:ffff::2')).toBe(true);
  expect(room.enter(noop)?.moveTo('2001:db8:0:0:1:2:3:4')).toBe(false);
  expect(room.enter(noop)?.moveTo('2001:db8:0:1::1')).toBe(true);
});

test('leaving twice gives back one place', () => {
  const room = makeRoom();
  const place = room.enter(noop);
  room.enter(noop);
  place?.leave();
  place?.leave();
  expect(room.size).toBe(1);
});

test('a full room turns newcomers away as long as those inside are new themselves', async () => {
  const clock = new VirtualClock();
  const room = makeRoom(clock);
  const sendAway = vi.fn<() => void>();
  for (let index = 0; index < 4; index++) room.enter(sendAway);
  await clock.advance(1999);
  expect(room.enter(noop)).toBeUndefined();
  expect(sendAway).not.toHaveBeenCalled();
});

test('who has dawdled for two seconds gives way to a newcomer, the longest first', async () => {
  const clock = new VirtualClock();
  const room = makeRoom(clock);
  const oldest = vi.fn<() => void>();
  const others = vi.fn<() => void>();
  room.enter(oldest);
  for (let index = 0; index < 3; index++) room.enter(others);
  await clock.advance(2000);
  expect(room.enter(noop)).toBeDefined();
  expect(oldest).toHaveBeenCalledTimes(1);
  expect(others).not.toHaveBeenCalled();
  expect(room.size).toBe(4);
});
