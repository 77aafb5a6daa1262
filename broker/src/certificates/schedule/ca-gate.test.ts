import { describe, expect, test } from 'vitest';
import { silentLogger } from '@lanyard/sdk/kernel';
import type { LogFields, Logger, Random } from '@lanyard/sdk/kernel';
import { seededRandom, VirtualClock } from '@lanyard/sdk/testing';
import type { RequestRate } from '../budget/rate-limit.ts';
import { CaGate } from './ca-gate.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Half of every pause. */
const lowest: Random = { ...seededRandom(1), uniform: () => 0 };

function bench({ requests, random = lowest }: { readonly requests?: RequestRate; readonly random?: Random } = {}) {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const lines: string[] = [];
  const line = (level: string) => (fields: LogFields, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log: Logger = { ...silentLogger, warn: line('warn'), info: line('info') };
  const gate = new CaGate({ clock, random, log, ...(requests && { requests }) });
  return {
    clock,
    startMs,
    gate,
    lines,
    /** How long nothing may go out; 0: it may. */
    waitMs: () => Math.max(0, gate.opensAtMs() - clock.nowMs()),
    at: (ms: number) => new Date(startMs + ms).toISOString(),
  };
}

/** Acts that fail at once. */
function fail(gate: CaGate, count: number): void {
  for (let n = 0; n < count; n++) gate.pass();
  for (let n = 0; n < count; n++) gate.away();
}

describe('a CA that is away', () => {
  test('is left alone after five acts in a row, not after four', () => {
    const { gate, waitMs } = bench();
    fail(gate, 4);
    expect(waitMs()).toBe(0);
    expect(gate.state()).toEqual({ kind: 'closed' });
    gate.away();
    expect(waitMs()).toBe(15 * SECOND_MS);
  });

  test('is not away when it answers now and then', () => {
    const { gate, waitMs } = bench();
    for (let n = 0; n < 20; n++) {
      fail(gate, 4);
      gate.answered();
    }
    expect(waitMs()).toBe(0);
  });

  test('is left alone no longer for acts that were under way already', () => {
    const { gate, waitMs } = bench();
    fail(gate, 100);
    expect(waitMs()).toBe(15 * SECOND_MS);
  });

  test('is tried by one act at a time, less and less often', async () => {
    const { clock, gate, waitMs } = bench();
    fail(gate, 5);
    const pauses: number[] = [];
    for (let trial = 0; trial < 8; trial++) {
      pauses.push(waitMs() / SECOND_MS);
      await clock.advance(waitMs());
      gate.pass();
      expect(waitMs()).toBeGreaterThan(2 * MINUTE_MS);
      gate.away();
      // Another one, from before: it does not double the pause again.
      gate.away();
    }
    expect(pauses).toEqual([15, 30, 60, 120, 240, 480, 900, 900]);
  });

  test('lets everything go as soon as one act is answered', async () => {
    const { clock, gate, waitMs } = bench();
    fail(gate, 5);
    await clock.advance(15 * SECOND_MS);
    gate.pass();
    gate.answered();
    expect(waitMs()).toBe(0);
    fail(gate, 4);
    expect(waitMs()).toBe(0);
    gate.away();
    expect(waitMs()).toBe(15 * SECOND_MS);
  });

  test('is tried by another act when the trial never answers', async () => {
    const { clock, gate, waitMs } = bench();
    fail(gate, 5);
    await clock.advance(15 * SECOND_MS);
    gate.pass();
    expect(waitMs()).toBe(150 * SECOND_MS);
    await clock.advance(150 * SECOND_MS);
    expect(waitMs()).toBe(0);
    gate.pass();
    expect(waitMs()).toBe(150 * SECOND_MS);
  });

  test('is left alone as long as it asks for', async () => {
    const { clock, gate, waitMs } = bench();
    fail(gate, 4);
    gate.away(10 * MINUTE_MS);
    expect(waitMs()).toBe(10 * MINUTE_MS);
    await clock.advance(10 * MINUTE_MS);
    gate.pass();
    gate.away(24 * HOUR_MS);
    expect(waitMs()).toBe(HOUR_MS);
  });

  test('pauses are spread between half and whole', () => {
    const random = seededRandom(7);
    const waits = Array.from({ length: 1_000 }, () => {
      const { gate, waitMs } = bench({ random });
      fail(gate, 5);
      return waitMs();
    });
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(15 * SECOND_MS);
    expect(Math.min(...waits)).toBeLessThan(16 * SECOND_MS);
    expect(Math.max(...waits)).toBeLessThan(30 * SECOND_MS);
    expect(Math.max(...waits)).toBeGreaterThan(29 * SECOND_MS);
  });
});

describe('for people', () => {
  test('the log says when the CA is gone, until when, and when it is back', async () => {
    const { clock, gate, lines, at } = bench();
    fail(gate, 50);
    await clock.advance(15 * SECOND_MS);
    fail(gate, 1);
    await clock.advance(30 * SECOND_MS);
    gate.pass();
    await clock.advance(2 * SECOND_MS);
    gate.answered();
    gate.answered();
    expect(lines).toEqual([
      `warn the CA is away: nothing is sent to it {"until":"${at(15 * SECOND_MS)}"}`,
      `warn the CA is away: nothing is sent to it {"until":"${at(45 * SECOND_MS)}"}`,
      'info the CA is back {"awayMs":47000}',
    ]);
  });

  test('the state says since when and until when', async () => {
    const { clock, startMs, gate } = bench();
    fail(gate, 5);
    const untilMs = startMs + 15 * SECOND_MS;
    expect(gate.state()).toEqual({ kind: 'open', untilMs, sinceMs: startMs });
    await clock.advance(15 * SECOND_MS);
    expect(gate.state()).toEqual({ kind: 'half-open', sinceMs: startMs });
    gate.pass();
    expect(gate.state()).toEqual({ kind: 'half-open', sinceMs: startMs });
    gate.away();
    expect(gate.state()).toEqual({ kind: 'open', untilMs: untilMs + 30 * SECOND_MS, sinceMs: startMs });
    gate.answered();
    expect(gate.state()).toEqual({ kind: 'closed' });
  });
});

describe('a CA that is busy', () => {
  test.each([
    ['a while', 20 * SECOND_MS, 20 * SECOND_MS],
    ['no time at all', 0, SECOND_MS],
    ['a day', 24 * HOUR_MS, HOUR_MS],
  ])('gets nothing for %s, within bounds', (_, retryAfterMs, pauseMs) => {
    const { gate, lines, waitMs } = bench();
    gate.pass();
    gate.busy(retryAfterMs);
    expect(waitMs()).toBe(pauseMs);
    expect(gate.state()).toEqual({ kind: 'closed' });
    expect(lines).toEqual([]);
  });

  test('counts as no failure, however often', () => {
    const { gate, waitMs } = bench();
    for (let n = 0; n < 20; n++) gate.busy(SECOND_MS);
    fail(gate, 4);
    expect(waitMs()).toBe(SECOND_MS);
  });

  test('is not asked sooner because another act was told so, or answered', () => {
    const { gate, waitMs } = bench();
    gate.busy(20 * SECOND_MS);
    gate.busy(2 * SECOND_MS);
    gate.answered();
    expect(waitMs()).toBe(20 * SECOND_MS);
  });

  test('gets another trial then, which doubles no pause', async () => {
    const { clock, gate, waitMs } = bench();
    fail(gate, 5);
    await clock.advance(15 * SECOND_MS);
    gate.pass();
    gate.busy(5 * SECOND_MS);
    expect(waitMs()).toBe(5 * SECOND_MS);
    await clock.advance(5 * SECOND_MS);
    fail(gate, 1);
    expect(waitMs()).toBe(30 * SECOND_MS);
  });
});

/** How many acts go out in `durationMs`, each as soon as it may. */
async function actsWithin(durationMs: number, requests: RequestRate, each = 1): Promise<number> {
  const { clock, startMs, gate, waitMs } = bench({ requests });
  let acts = 0;
  for (; clock.nowMs() + waitMs() < startMs + durationMs; acts++) {
    await clock.advance(waitMs());
    gate.pass(each);
  }
  return acts;
}

describe('the pace', () => {
  test('is the burst at once and then the rate', async () => {
    const requests = { perSecond: 20, burst: 10 };
    expect(await actsWithin(1, requests)).toBe(10);
    expect(await actsWithin(10 * SECOND_MS, requests)).toBe(10 + 199);
  });

  test('counts every request of an act', async () => {
    expect(await actsWithin(10 * SECOND_MS, { perSecond: 20, burst: 10 }, 3)).toBe(70);
  });

  test('lets an act of more requests than the burst go, and makes the next one wait for all of them', () => {
    const { gate, waitMs } = bench({ requests: { perSecond: 10, burst: 2 } });
    gate.pass(12);
    expect(waitMs()).toBe(1_100);
  });

  test('may be as fast as can be', () => {
    const { gate, waitMs } = bench();
    for (let n = 0; n < 10_000; n++) gate.pass(5);
    expect(waitMs()).toBe(0);
  });

  test('does not let through what the CA’s absence keeps back', () => {
    const { gate, waitMs } = bench({ requests: { perSecond: 10, burst: 10 } });
    fail(gate, 5);
    expect(waitMs()).toBe(15 * SECOND_MS);
  });
});
