import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline, endsWithin, sleep, systemClock } from './clock.ts';

const DAY_MS = 86_400_000;

describe('the system’s clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('calls back after the time that was said', () => {
    const callback = vi.fn<() => void>();
    systemClock.setTimer(1_000, callback);
    vi.advanceTimersByTime(999);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('waits for months although Node’s own timers cannot', () => {
    const callback = vi.fn<() => void>();
    systemClock.setTimer(60 * DAY_MS, callback);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('a timer that is cancelled stays silent, also in its second month', () => {
    const callback = vi.fn<() => void>();
    const timer = systemClock.setTimer(60 * DAY_MS, callback);
    vi.advanceTimersByTime(30 * DAY_MS);
    timer.cancel();
    timer.cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
  });

  test('what was due in the past is due now', () => {
    const callback = vi.fn<() => void>();
    systemClock.setTimer(-5, callback);
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });
});

test('the monotonic time only grows, and the other one is that of the day', () => {
  const first = systemClock.monotonicMs();
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first);
  expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1_000);
});

describe('a sleep', () => {
  test('ends when its time has come, and leaves nothing behind', async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const slept = sleep(clock, 1_000, signal);
    await clock.advance(1_000);
    await expect(slept).resolves.toBeUndefined();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('ends at once with the reason when it is abandoned, before or during', async () => {
    const clock = new VirtualClock();
    const reason = new Error('enough');
    await expect(sleep(clock, 1_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const slept = sleep(clock, 1_000, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('gives a reason that is no error as one', async () => {
    const slept = sleep(new VirtualClock(), 1, AbortSignal.abort('text'));
    await expect(slept).rejects.toThrow('the wait was abandoned');
  });
});

describe('work', () => {
  test('that ends in time is waited for, and leaves no timer behind', async () => {
    const clock = new VirtualClock();
    expect(await endsWithin(clock, 1_000, Promise.resolve('done'))).toBe(true);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('that does not end is left behind', async () => {
    const clock = new VirtualClock();
    const waited = endsWithin(clock, 1_000, new Promise(() => {}));
    await clock.advance(1_000);
    expect(await waited).toBe(false);
  });

  test('that fails fails who waits for it', async () => {
    await expect(endsWithin(new VirtualClock(), 1_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('a deadline', () => {
  test('aborts after its time, and says how long that was', async () => {
    const clock = new VirtualClock();
    using limit = deadline(clock, 1_000);
    await clock.advance(999);
    expect(limit.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(limit.signal.reason).toMatchObject({ name: 'TimeoutError', message: 'no answer within 1000 ms' });
  });

  test('aborts with its parent, and with its reason', () => {
    const reason = new Error('stop');
    const parent = new AbortController();
    using limit = deadline(new VirtualClock(), 1_000, parent.signal);
    parent.abort(reason);
    expect(limit.signal.reason).toBe(reason);
    using late = deadline(new VirtualClock(), 1_000, parent.signal);
    expect(late.signal.reason).toBe(reason);
  });

  test('leaves neither timer nor listener behind', () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const limit = deadline(clock, 1_000, signal);
    limit[Symbol.dispose]();
    expect(clock.nextTimerMs()).toBeUndefined();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
