import { LanyardError } from '@lanyard/sdk/kernel';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Weather } from '../../scenarios/scenario.ts';
import { Line } from './line.ts';
import type { LineParts } from './line.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CALM: Weather = { latency: { from: 100, to: 100 }, loss: 0, halfOpen: 0 };

const STATE = {
  kind: 'problem',
  problem: { code: 'internal', message: 'm', retryable: true, ref: 'r' },
} as const;
const BYE = { kind: 'bye', bye: { id: 'i', bootId: 'b', reason: 'reboot' } } as const;

let clock: VirtualClock;
let weather: Weather;
/** Ups and downs with their times in seconds, and what the broker's end received. */
let turns: string[];
let received: string[];
let heard: string[];

beforeEach(() => {
  clock = new VirtualClock();
  weather = CALM;
  [turns, received, heard] = [[], [], []];
});

async function connected(change: Partial<LineParts> = {}): Promise<Line> {
  const line = new Line({
    clock,
    random: seededRandom(2),
    weather: () => weather,
    mappingIdleMs: Infinity,
    dawdleMs: 0,
    obstacle: () => undefined,
    admit: async () => undefined,
    onLine: (isUp) => turns.push(`${isUp ? 'up' : 'down'} ${Math.round(clock.monotonicMs() / 1_000)}`),
    onPayload: (kind) => received.push(`${kind} ${clock.monotonicMs()}`),
    ...change,
  });
  line.link.onEvent((event) => {
    if (event.kind === 'message') heard.push(`${event.message.kind} ${clock.monotonicMs()}`);
    if (event.kind === 'down') heard.push(event.error.code);
  });
  await line.link.start();
  await clock.advance(1_000);
  return line;
}

describe('connecting', () => {
  test('who is admitted is up after the way there', async () => {
    const line = await connected();
    expect(line.link.isUp).toBe(true);
    expect(turns).toEqual(['up 0']);
  });

  test('an obstacle is met before the broker is asked', async () => {
    let asked = 0;
    await connected({
      obstacle: () => new LanyardError('broker-unreachable'),
      admit: async () => (asked++, undefined),
    });
    expect([asked, turns]).toEqual([0, []]);
    expect(new Set(heard)).toEqual(new Set(['broker-unreachable']));
  });

  test('who is refused hears it, and tries again later', async () => {
    let refusal: LanyardError | undefined = new LanyardError('broker-refused', { details: { returnCode: 5 } });
    await connected({ admit: async () => refusal });
    expect([turns, heard]).toEqual([[], ['broker-refused']]);
    refusal = undefined;
    await clock.advance(2 * HOUR_MS);
    expect(turns).toHaveLength(1);
  });
});

describe('messages', () => {
  test('take the time that the weather says, both ways', async () => {
    const line = await connected();
    line.link.send(BYE);
    expect(line.say(STATE)).toBe(true);
    await clock.advance(99);
    expect([received, heard]).toEqual([[], []]);
    await clock.advance(1);
    expect([received, heard]).toEqual([['bye 1100'], ['problem 1100']]);
  });

  test('a slow reader adds his own', async () => {
    const line = await connected({ dawdleMs: 400 });
    line.say(STATE);
    await clock.advance(499);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual(['problem 1500']);
  });

  test('no message comes to a line that is down', async () => {
    const line = await connected();
    line.cut();
    expect(line.say(STATE)).toBe(false);
    expect(turns).toEqual(['up 0', 'down 1']);
  });

  test('of those in lossy weather about that share vanishes, although the line stays up', async () => {
    weather = { ...CALM, loss: 0.3 };
    const line = await connected();
    for (let round = 0; round < 300; round++) {
      expect(line.say(STATE)).toBe(true);
      await clock.advance(200);
    }
    expect(heard.length / 300).toBeCloseTo(0.7, 1);
    expect(line.link.isUp).toBe(true);
  });

  test('the weather of the moment counts', async () => {
    const line = await connected();
    weather = { ...CALM, loss: 1 };
    line.say(STATE);
    await clock.advance(HOUR_MS);
    expect(heard).toEqual([]);
    weather = CALM;
    line.say(STATE);
    await clock.advance(100);
    expect(heard).toHaveLength(1);
  });
});

describe('a line that went silent', () => {
  test('carries nothing and is noticed after one and a half keep-alives', async () => {
    const line = await connected();
    line.goSilent();
    line.link.send(BYE);
    expect(line.say(STATE)).toBe(true);
    await clock.advance(180_000 - 1);
    expect([received, heard, turns]).toEqual([[], [], ['up 0']]);
    await clock.advance(1);
    expect(turns).toEqual(['up 0', 'down 181']);
    expect(heard).toEqual(['broker-unreachable']);
  });

  test('does not become younger when it is silenced again', async () => {
    const line = await connected();
    line.goSilent();
    await clock.advance(100_000);
    line.goSilent();
    await clock.advance(80_000);
    expect(line.link.isUp && turns.length === 1).toBe(false);
  });

  test('the next one talks', async () => {
    const line = await connected();
    line.goSilent();
    await clock.advance(20 * MINUTE_MS);
    expect(turns.map((turn) => turn.split(' ')[0])).toEqual(['up', 'down', 'up']);
    line.say(STATE);
    await clock.advance(100);
    expect(heard.at(-1)).toMatch(/^problem/);
  });

  test('one that is not up cannot', async () => {
    const line = await connected();
    line.cut();
    line.goSilent();
    await clock.advance(10 * MINUTE_MS);
    expect(line.link.isUp).toBe(true);
    expect(turns).toHaveLength(3);
  });
});

describe('how long a line lives', () => {
  test('for ever in calm weather', async () => {
    await connected();
    await clock.advance(400 * 24 * HOUR_MS);
    expect(turns).toEqual(['up 0']);
  });

  test('about as long as the weather says', async () => {
    weather = { ...CALM, lineLife: HOUR_MS };
    await connected();
    await clock.advance(400 * HOUR_MS);
    const breaks = turns.filter((turn) => turn.startsWith('down')).length;
    expect(breaks).toBeGreaterThan(300);
    expect(breaks).toBeLessThan(480);
    // Both ends know at once.
    expect(new Set(heard)).toEqual(new Set(['broker-unreachable']));
  });

  test('half-open ends cost three minutes each', async () => {
    weather = { ...CALM, lineLife: MINUTE_MS };
    await connected();
    await clock.advance(10 * HOUR_MS);
    const quick = turns.filter((turn) => turn.startsWith('down')).length;
    turns = [];
    weather = { ...weather, halfOpen: 1 };
    await clock.advance(10 * HOUR_MS);
    const slow = turns.filter((turn) => turn.startsWith('down')).length;
    // A minute and the pause before the next, and three minutes more.
    expect(quick).toBeGreaterThan(250);
    expect(slow).toBeLessThan(160);
  });

  test('as long as a forgetful NAT lets it, counted from its last message', async () => {
    const line = await connected({ mappingIdleMs: MINUTE_MS });
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(50_000);
      line.say(STATE);
    }
    expect(turns).toEqual(['up 0']);
    await clock.advance(MINUTE_MS + 1);
    const before = heard.length;
    line.say(STATE);
    await clock.advance(1_000);
    expect(heard).toHaveLength(before);
    await clock.advance(180_000);
    expect(turns[1]).toBe('down 741');
  });

  test('pings keep all other NATs from forgetting', async () => {
    await connected({ mappingIdleMs: 2 * MINUTE_MS });
    await clock.advance(24 * HOUR_MS);
    expect(turns).toEqual(['up 0']);
  });
});
