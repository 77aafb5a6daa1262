import { beforeEach, describe, expect, test } from 'vitest';
import { LanyardError } from '../kernel/errors.ts';
import type { LinkEvent } from '../link/link.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import type { UpMessage } from '../protocol/up-message.ts';
import { MemoryLink } from './memory-link.ts';
import { VirtualClock } from './virtual-clock.ts';

const MINUTE = 60_000;

let clock: VirtualClock;
let link: MemoryLink;
let events: LinkEvent[];
let said: UpMessage[];

beforeEach(() => {
  clock = new VirtualClock();
  link = new MemoryLink({ clock });
  events = [];
  said = [];
  link.onEvent((event) => events.push(event));
  link.onSaid((message) => said.push(message));
});

describe('a link in memory', () => {
  test('is up after its start and carries messages both ways', async () => {
    expect(link.send(bye('early'))).toBe(false);
    await up();
    expect(link.send(bye('1'))).toBe(true);
    expect(link.say(accepted('a'))).toBe(true);
    expect(said).toEqual([]);
    await clock.advance(0);
    expect(said).toEqual([bye('1')]);
    expect(events).toEqual([{ kind: 'up' }, { kind: 'message', message: accepted('a') }]);
  });

  test('takes nothing that the wire would not', async () => {
    await up();
    expect(() => link.send(bye('an id with spaces'))).toThrow(LanyardError);
    expect(() => link.say(accepted('not hex'))).toThrow(LanyardError);
  });

  test('that is cut loses what is under way and comes back within the spread', async () => {
    await up();
    link.setReconnectSpread(10 * MINUTE);
    await clock.advance(2 * MINUTE);
    link.send(bye('1'));
    link.say(accepted('a'));
    link.cut();
    expect(link.send(bye('2'))).toBe(false);
    const down = events.at(-1);
    const retryAtMs = down?.kind === 'down' ? down.retryAtMs : Number.NaN;
    expect(retryAtMs - clock.nowMs()).toBeLessThan(10 * MINUTE);
    await clock.advance(10 * MINUTE);
    expect(events.map(({ kind }) => kind)).toEqual(['up', 'down', 'up']);
    expect(said).toEqual([]);
  });

  test('tries in vain during an outage, with the error it is told', async () => {
    await up();
    link.cut({ isLasting: true, error: new LanyardError('broker-refused') });
    await clock.advance(120 * MINUTE);
    const downs = events.filter((event) => event.kind === 'down');
    expect(downs.length).toBeGreaterThan(3);
    expect(downs.every(({ error }) => error.code === 'broker-refused')).toBe(true);
    link.restore();
    await clock.advance(31 * MINUTE);
    expect(link.isUp).toBe(true);
  });

  test('that is slow delivers late and in order, even when it becomes fast', async () => {
    await up();
    link.slow(500);
    link.send(bye('1'));
    link.slow(0);
    link.send(bye('2'));
    await clock.advance(499);
    expect(said).toEqual([]);
    await clock.advance(1);
    expect(said).toEqual([bye('1'), bye('2')]);
  });

  test('loses what it is told to lose, and the sender does not notice', async () => {
    await up();
    link.lose(({ kind }) => kind === 'bye');
    expect(link.send(bye('1'))).toBe(true);
    expect(link.say(accepted('a'))).toBe(true);
    await clock.advance(0);
    expect(said).toEqual([]);
    expect(events.at(-1)?.kind).toBe('message');
  });

  test('takes only so much at a time', async () => {
    await up();
    const taken = Array.from({ length: 20 }, (_, index) => link.send(bye(`${index}`)));
    expect(taken.filter(Boolean)).toHaveLength(16);
    await clock.advance(0);
    expect(said).toHaveLength(16);
    expect(link.send(bye('later'))).toBe(true);
  });

  test('delivers its last message after a stop, and tells nothing more', async () => {
    await up();
    link.send(bye('last'));
    link.say(accepted('a'));
    await link.stop();
    await clock.advance(MINUTE);
    expect(said).toEqual([bye('last')]);
    expect(events).toEqual([{ kind: 'up' }]);
    await up();
    expect(link.isUp).toBe(true);
  });

  test('that is stopped before it is up stays down', async () => {
    await link.start();
    await link.stop();
    await clock.advance(MINUTE);
    expect(events).toEqual([]);
  });
});

async function up(): Promise<void> {
  await link.start();
  await clock.advance(0);
}

function bye(id: string): UpMessage {
  return { kind: 'bye', bye: { id, bootId: 'boot-1', reason: 'shutdown' } };
}

function accepted(digit: string): DownMessage {
  return { kind: 'certificate', certificate: { kind: 'accepted', keyHash: digit.repeat(64), etaSeconds: 5 } };
}
