import { describe, expect, test, vi } from 'vitest';
import { VirtualClock } from '@lanyard/sdk/testing';
import { Life } from './life.ts';

/** What has become of a promise after everything that could settle has settled. */
async function fateOf(promise: Promise<unknown>): Promise<unknown> {
  const waits = new Promise((resolve) => setImmediate(() => resolve('waits')));
  return await Promise.race([promise.catch((error: unknown) => `rejected: ${String(error)}`), waits]);
}

/** A port with a door that a test opens. */
function port() {
  const waiting: { answer?: (answer: string) => void; refuse?: (error: Error) => void } = {};
  const promise = new Promise<string>((answer, refuse) => Object.assign(waiting, { answer, refuse }));
  return {
    resolve: (answer: string) => waiting.answer?.(answer),
    reject: (error: Error) => waiting.refuse?.(error),
    bound: { done: [] as string[] },
    ask(what: string): Promise<string> {
      this.bound.done.push(what);
      return promise;
    },
    count(): number {
      return this.bound.done.length;
    },
  };
}

describe('the clock of a life', () => {
  test('is the clock of the world, and fires while life lasts', async () => {
    const clock = new VirtualClock(5_000);
    const life = new Life(clock);
    const fired: number[] = [];
    life.clock.setTimer(10, () => fired.push(life.clock.nowMs()));
    const cancelled = life.clock.setTimer(10, () => fired.push(-1));
    cancelled.cancel();
    await clock.advance(20);
    expect(fired).toEqual([5_010]);
    expect([life.clock.nowMs(), life.clock.monotonicMs()]).toEqual([5_020, 20]);
  });

  test('with its end every timer is gone, and none can be set any more', async () => {
    const clock = new VirtualClock();
    const life = new Life(clock);
    const fired = vi.fn<() => void>();
    life.clock.setTimer(10, fired);
    const kept = life.clock.setTimer(20, fired);
    life.end();
    expect(life.isOver).toBe(true);
    expect(clock.nextTimerMs()).toBeUndefined();
    life.clock.setTimer(1, fired).cancel();
    life.clock.setTimer(1, fired);
    kept.cancel();
    await clock.advance(100);
    expect(fired).not.toHaveBeenCalled();
  });

  test('a timer that ends the life lets no later one fire', async () => {
    const clock = new VirtualClock();
    const life = new Life(clock);
    const fired = vi.fn<() => void>();
    life.clock.setTimer(10, () => life.end());
    life.clock.setTimer(10, fired);
    await clock.advance(10);
    expect(fired).not.toHaveBeenCalled();
  });
});

describe('a port in a life', () => {
  test('answers, refuses and holds data as it would by itself', async () => {
    const [life, first, second] = [new Life(new VirtualClock()), port(), port()];
    const [alive, refusing] = [life.bind(first), life.bind(second)];
    first.resolve('answer');
    second.reject(new Error('no'));
    expect(await alive.ask('a')).toBe('answer');
    await expect(refusing.ask('b')).rejects.toThrow('no');
    expect(alive.count()).toBe(1);
    expect(alive.bound).toBe(first.bound);
    expect(Reflect.get(alive, 'ask')).toBe(Reflect.get(alive, 'ask'));
  });

  test.each(['resolve', 'reject'] as const)(
    'what is under way at its end takes effect, and no %s is heard',
    async (how) => {
      const life = new Life(new VirtualClock());
      const there = port();
      const answer = life.bind(there).ask('a deed');
      life.end();
      if (how === 'resolve') there.resolve('too late');
      else there.reject(new Error('too late'));
      expect(await fateOf(answer)).toBe('waits');
      expect(there.bound.done).toEqual(['a deed']);
    },
  );

  test('after its end nothing is asked at all', async () => {
    const life = new Life(new VirtualClock());
    const there = port();
    const bound = life.bind(there);
    life.end();
    there.resolve('answer');
    expect(await fateOf(bound.ask('a deed'))).toBe('waits');
    expect(there.bound.done).toEqual([]);
  });

  test('another life with the same port goes on', async () => {
    const [former, next] = [new Life(new VirtualClock()), new Life(new VirtualClock())];
    const there = port();
    const lost = former.bind(there).ask('once');
    former.end();
    const heard = next.bind(there).ask('again');
    there.resolve('answer');
    expect(await heard).toBe('answer');
    expect(await fateOf(lost)).toBe('waits');
    expect(there.bound.done).toEqual(['once', 'again']);
  });
});
