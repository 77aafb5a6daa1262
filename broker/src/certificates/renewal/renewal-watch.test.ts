import { LanyardError } from '@lanyard/sdk/kernel';
import { describe, expect, test } from 'vitest';
import type { RenewalWatch } from './renewal-watch.ts';
import { World } from './test-fleet.ts';
import type { Answer } from './test-fleet.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

async function begin(world: World): Promise<RenewalWatch> {
  const watch = world.live();
  await watch.start();
  return watch;
}

const away: Answer = async () => {
  throw new LanyardError('authority-unreachable');
};

describe('a window', () => {
  test('of 3.2 hours is met by every certificate, though polls are six hours apart', async () => {
    const world = new World();
    world.issue(300, 160 * HOUR_MS);
    // Not where the certificates would have put it themselves.
    const startMs = world.clock.nowMs() + 60 * HOUR_MS;
    const window = { startMs, endMs: startMs + 3.2 * HOUR_MS };
    world.answer = async () => ({ window, retryAfterMs: 6 * HOUR_MS });
    await begin(world);
    await world.clock.advance(HOUR_MS);
    expect(world.moved).toHaveLength(300);
    const instants = world.store.all.map(({ renewAtMs }) => renewAtMs);
    expect(instants.every((atMs) => window.startMs <= atMs && atMs < window.endMs)).toBe(true);
    expect(Math.max(...instants) - Math.min(...instants)).toBeGreaterThan(3 * HOUR_MS);
    await world.clock.advance(4 * DAY_MS);
    expect(world.store.all.map(({ renewAtMs }) => renewAtMs)).toEqual(instants);
    expect(world.moved).toHaveLength(300);
    expect(world.askedSince(0)).toBeGreaterThan(300 * 15);
  });

  test('that is moved to the past moves the renewal to now, once', async () => {
    const world = new World();
    world.issue(20);
    await begin(world);
    await world.clock.advance(DAY_MS);
    const incidentMs = world.clock.nowMs();
    world.moved.length = 0;
    const explanationUrl = 'https://ca.test/incident';
    // As Boulder does, it moves along.
    world.answer = async () => {
      const nowMs = world.clock.nowMs();
      const window = { startMs: nowMs - HOUR_MS, endMs: nowMs - HOUR_MS / 2 };
      return { window, explanationUrl, retryAfterMs: 6 * HOUR_MS };
    };
    await world.clock.advance(6 * HOUR_MS + MINUTE_MS);
    expect(world.moved).toHaveLength(20);
    for (const { fingerprint, renewAtMs, isUrgent } of world.moved) {
      expect(isUrgent).toBe(true);
      expect(renewAtMs).toBeGreaterThanOrEqual(incidentMs);
      expect(renewAtMs).toBeLessThanOrEqual(world.clock.nowMs());
      expect(world.store.get(fingerprint)).toMatchObject({ renewAtMs, explanationUrl });
    }
    const told = world.lines.filter(({ level }) => level === 'info');
    expect(told).toHaveLength(20);
    expect(told[0]?.fields).toMatchObject({ explanationUrl });
    await world.clock.advance(2 * DAY_MS);
    expect(world.moved).toHaveLength(20);
  });

  test('of a certificate that was replaced meanwhile is nobody’s', async () => {
    const world = new World();
    world.issue(1);
    world.answer = async (renewalId) => {
      const window = world.windowOf(renewalId);
      world.store.certificates.delete(renewalId);
      return { window: { startMs: window.startMs - DAY_MS, endMs: window.endMs - DAY_MS } };
    };
    await begin(world);
    await world.clock.advance(DAY_MS);
    expect(world.asked).toHaveLength(1);
    expect(world.moved).toEqual([]);
  });
});

describe('the CA is asked', () => {
  test.each([
    ['a second', SECOND_MS, MINUTE_MS],
    ['six hours', 6 * HOUR_MS, 6 * HOUR_MS],
    ['a month', 30 * DAY_MS, DAY_MS],
    ['nothing', undefined, 6 * HOUR_MS],
  ])('again within RFC 9773’s bounds, when it says %s', async (_what, retryAfterMs, pauseMs) => {
    const world = new World();
    world.issue(1);
    world.answer = async (id) => ({ window: world.windowOf(id), ...(retryAfterMs !== undefined && { retryAfterMs }) });
    await begin(world);
    await world.clock.advance(HOUR_MS + 3 * pauseMs);
    const [first, second] = world.asked;
    const pausedMs = (second?.atMs ?? 0) - (first?.atMs ?? 0);
    expect(pausedMs).toBeGreaterThanOrEqual(pauseMs);
    expect(pausedMs).toBeLessThanOrEqual(pauseMs + SECOND_MS);
  });

  test('about eight certificates at once, and about all that are due', async () => {
    const world = new World();
    world.issue(1_000, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    const honest = world.answer;
    world.answer = async (renewalId, signal) => {
      await new Promise<void>((resolve) => void world.clock.setTimer(100, resolve));
      return honest(renewalId, signal);
    };
    await begin(world);
    await world.clock.advance(MINUTE_MS);
    expect(new Set(world.asked.map(({ renewalId }) => renewalId)).size).toBe(1_000);
    expect(world.asked).toHaveLength(1_000);
    expect(world.mostAtOnce).toBe(8);
  });

  test('at once about what was issued a moment ago, when it is woken', async () => {
    const world = new World();
    const watch = await begin(world);
    await world.clock.advance(MINUTE_MS);
    const issuedMs = world.clock.nowMs();
    world.issue(1, DAY_MS, { lookUpAtMs: issuedMs });
    await world.clock.advance(MINUTE_MS);
    expect(world.asked).toEqual([]);
    watch.wake();
    await world.clock.advance(0);
    expect(world.asked).toHaveLength(1);
  });

  test('about what was stored silently within a quarter of an hour', async () => {
    const world = new World();
    await begin(world);
    await world.clock.advance(MINUTE_MS);
    world.issue(1, DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    await world.clock.advance(15 * MINUTE_MS);
    expect(world.asked).toHaveLength(1);
  });

  test('not about what has no id, or is expired', async () => {
    const world = new World();
    world.issue(2, 2 * DAY_MS);
    const { renewalId: _, ...anonymous } = world.store.get('1');
    world.store.put(anonymous);
    world.store.put({ ...world.store.get('2'), notAfterMs: world.clock.nowMs() - 1 });
    const before = world.store.all.map(({ renewAtMs }) => renewAtMs);
    await begin(world);
    await world.clock.advance(3 * DAY_MS);
    expect(world.asked).toEqual([]);
    expect(world.store.all.map(({ renewAtMs }) => renewAtMs)).toEqual(before);
    expect(await world.store.nextLookUpMs()).toBeUndefined();
  });

  test('once and never again when it offers no renewal information', async () => {
    const world = new World();
    world.issue(1, 90 * DAY_MS);
    world.answer = async () => undefined;
    await begin(world);
    await world.clock.advance(3.5 * DAY_MS);
    expect(world.asked).toHaveLength(1);
    expect(world.moved).toEqual([]);
  });

  test('again after six hours about what it refuses or garbles, and others are not kept waiting', async () => {
    const world = new World();
    world.issue(30, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    const honest = world.answer;
    const errors = new Map<string, Error>();
    for (let id = 1; id <= 10; id++) {
      errors.set(String(id), new LanyardError('authority-refused'));
      errors.set(String(id + 10), id < 5 ? new TypeError('a defect') : new LanyardError('authority-protocol'));
    }
    world.answer = async (id, signal) => {
      const error = errors.get(id);
      if (error) throw error;
      return honest(id, signal);
    };
    await begin(world);
    await world.clock.advance(5 * HOUR_MS);
    expect(world.asked).toHaveLength(30);
    expect(world.store.all.filter(({ window }) => window !== undefined)).toHaveLength(10);
    await world.clock.advance(2 * HOUR_MS);
    expect(world.asked).toHaveLength(60);
  });
});

describe('a CA that is away', () => {
  test('for a day is asked now and then, not by the whole fleet', async () => {
    const world = new World();
    world.issue(1_000);
    await begin(world);
    await world.clock.advance(12 * HOUR_MS);
    const honest = world.answer;
    const instants = world.store.all.map(({ renewAtMs }) => renewAtMs);
    const outageMs = world.clock.nowMs();
    world.answer = away;
    await world.clock.advance(DAY_MS);
    expect(world.askedSince(outageMs)).toBeLessThan(400);
    expect(world.askedSince(outageMs)).toBeGreaterThan(200);
    expect(world.store.all.map(({ renewAtMs }) => renewAtMs)).toEqual(instants);
    expect(world.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    world.answer = honest;
    const endMs = world.clock.nowMs();
    await world.clock.advance(7 * HOUR_MS);
    const asked = new Set(world.asked.filter(({ atMs }) => atMs >= endMs).map(({ renewalId }) => renewalId));
    expect(asked.size).toBe(1_000);
    expect(world.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test('is left alone as long as it asks for, whoever wakes the watch', async () => {
    const world = new World();
    world.issue(50, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    world.answer = async () => {
      throw new LanyardError('authority-rate-limited', { retryAfterMs: HOUR_MS });
    };
    const watch = await begin(world);
    for (let minutes = 0; minutes < 59; minutes++) {
      await world.clock.advance(MINUTE_MS);
      watch.wake();
    }
    // Eight were under way when the fifth failed.
    expect(world.asked.length).toBeLessThanOrEqual(12);
    await world.clock.advance(2 * MINUTE_MS);
    const [{ atMs: probedMs } = expect.fail()] = world.asked.slice(-1);
    expect(world.askedSince(probedMs)).toBe(1);
    expect(world.clock.nowMs() - probedMs).toBeLessThan(2 * MINUTE_MS);
  });

  test('costs one certificate a minute, then two, then four', async () => {
    const world = new World();
    world.issue(1, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    world.answer = away;
    await begin(world);
    await world.clock.advance(8 * MINUTE_MS);
    expect(world.asked.map(({ atMs }) => Math.round((atMs - (world.asked[0]?.atMs ?? 0)) / MINUTE_MS))).toEqual([
      0, 1, 3, 7,
    ]);
  });

  test('costs a minute again, once it has answered in between', async () => {
    const world = new World();
    world.issue(1, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    const honest = world.answer;
    world.answer = away;
    await begin(world);
    await world.clock.advance(4 * MINUTE_MS);
    world.answer = honest;
    await world.clock.advance(4 * MINUTE_MS);
    world.answer = away;
    await world.clock.advance(6 * HOUR_MS);
    const missedMs = world.asked[4]?.atMs ?? 0;
    expect(Math.round(((world.asked[5]?.atMs ?? 0) - missedMs) / MINUTE_MS)).toBe(1);
  });
});

describe('a store', () => {
  test('that fails is asked again after a minute', async () => {
    const world = new World();
    world.issue(10);
    world.store.failure = new LanyardError('store-failed');
    await begin(world);
    await world.clock.advance(10 * MINUTE_MS - 1);
    expect(world.store.questions).toBe(10);
    expect(world.lines.filter(({ level }) => level === 'error')).toHaveLength(10);
    world.store.failure = undefined;
    await world.clock.advance(HOUR_MS);
    expect(world.moved.length).toBe(10);
  });

  test('that fails to note does not let the fleet be asked about in vain', async () => {
    const world = new World();
    world.issue(1_000, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    const honest = world.answer;
    world.answer = (renewalId, signal) => {
      world.store.failure = new LanyardError('store-failed');
      return honest(renewalId, signal);
    };
    await begin(world);
    await world.clock.advance(MINUTE_MS - 1);
    expect(world.asked).toHaveLength(8);
    expect(world.moved).toEqual([]);
  });

  test('that forgets what it noted does not let the CA be asked without end', async () => {
    const world = new World();
    world.issue(3, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    world.store.isForgetful = true;
    await begin(world);
    await world.clock.advance(10 * MINUTE_MS - 1);
    expect(world.asked.length).toBeLessThanOrEqual(30);
  });
});

describe('a life', () => {
  test('that ends loses nothing: the next one goes on where it was', async () => {
    const world = new World();
    world.issue(100);
    const first = await begin(world);
    await world.clock.advance(7 * HOUR_MS);
    await first.stop();
    const before = world.store.all;
    const { length: asked } = world.asked;
    const { length: moved } = world.moved;
    await begin(world);
    await world.clock.advance(0);
    expect(world.asked).toHaveLength(asked);
    await world.clock.advance(6 * HOUR_MS);
    expect(world.asked.length).toBeGreaterThanOrEqual(asked + 90);
    expect(world.moved).toHaveLength(moved);
    expect(world.store.all.map(({ renewAtMs }) => renewAtMs)).toEqual(before.map(({ renewAtMs }) => renewAtMs));
  });

  test('that is ended in the middle abandons its questions, and asks them at the next start', async () => {
    const world = new World();
    world.issue(20, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    const before = world.store.all;
    const honest = world.answer;
    let abandoned = 0;
    world.answer = (_id, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          abandoned += 1;
          reject(new LanyardError('stopped'));
        });
      });
    const watch = await begin(world);
    await world.clock.advance(MINUTE_MS);
    expect(world.asked).toHaveLength(8);
    await watch.stop();
    expect(abandoned).toBe(8);
    expect(world.store.all).toEqual(before);
    expect(world.clock.nextTimerMs()).toBeUndefined();
    await world.clock.advance(DAY_MS);
    expect(world.asked).toHaveLength(8);
    expect(world.lines).toEqual([]);
    world.answer = honest;
    await watch.start();
    await world.clock.advance(0);
    expect(world.asked).toHaveLength(28);
    expect(world.store.all.every(({ window }) => window !== undefined)).toBe(true);
  });

  test('ends in bounded time, and what comes later is not noted', async () => {
    const world = new World();
    world.issue(1, 90 * DAY_MS, { lookUpAtMs: world.clock.nowMs() });
    const before = world.store.all;
    const window = world.windowOf('1');
    world.answer = () => new Promise((resolve) => void world.clock.setTimer(HOUR_MS, () => resolve({ window })));
    const watch = await begin(world);
    await world.clock.advance(MINUTE_MS);
    const stopped = watch.stop();
    await world.clock.advance(5 * SECOND_MS);
    await stopped;
    expect(world.lines.map(({ level }) => level)).toEqual(['warn']);
    await world.clock.advance(DAY_MS);
    expect(world.store.all).toEqual(before);
    expect(world.moved).toEqual([]);
  });

  test('may end before it began, and twice', async () => {
    const world = new World();
    const watch = world.live();
    await watch.stop();
    await watch.start();
    await watch.start();
    await watch.stop();
    await watch.stop();
    expect(world.clock.nextTimerMs()).toBeUndefined();
  });
});
