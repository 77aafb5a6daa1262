/** Time as a service: the only place that reads the system's clock or sets its timers. */

export interface Timer {
  /** Forgets the timer; harmless when it has already fired. */
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time in epoch milliseconds. May jump, on appliances by decades. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start that only ever grow: for measuring how long something took. */
  monotonicMs(): number;
  /** Calls back once after `delayMs` (any length). A pending timer never keeps the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** Node clips longer timers to 1 ms; 24.8 days is less than a renewal interval. */
const LONGEST_NODE_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    let handle: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      const stepMs = Math.min(Math.max(0, remainingMs), LONGEST_NODE_TIMER_MS);
      handle = setTimeout(() => {
        if (remainingMs > stepMs) arm(remainingMs - stepMs);
        else callback();
      }, stepMs);
      handle.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Resolves after `delayMs` on `clock`.
 * @throws the signal's reason as soon as `signal` aborts.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(asError(signal.reason));
    const onAbort = (): void => {
      timer.cancel();
      reject(asError(signal?.reason));
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A signal that aborts with a `TimeoutError` after `delayMs` on `clock`, or as soon as `parent` aborts. */
export function deadline(clock: Clock, delayMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = clock.setTimer(delayMs, () =>
    controller.abort(new DOMException(`no answer within ${delayMs} ms`, 'TimeoutError')),
  );
  const onParent = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) onParent();
  else parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer.cancel();
      parent?.removeEventListener('abort', onParent);
    },
  };
}

/** Waits for `work`, but no longer than `limitMs` on `clock`. Rejects with it. @returns whether it has ended. */
export async function endsWithin(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  using limit = deadline(clock, limitMs);
  const isOver = new Promise<boolean>((resolve) => {
    limit.signal.addEventListener('abort', () => resolve(false), { once: true });
  });
  return await Promise.race([work.then(() => true), isOver]);
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Releases the timer and the listener on the parent. */
  [Symbol.dispose](): void;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('the wait was abandoned', 'AbortError');
}
