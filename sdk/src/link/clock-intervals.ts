/** Repeating timers on a `Clock`, in the shape that MQTT.js takes for its keepalive. */
import type { Clock, Timer } from '../kernel/clock.ts';

export interface Intervals {
  set(callback: () => void, everyMs?: number): number;
  clear(id: number): void;
}

export function intervalsOn(clock: Clock): Intervals {
  const running = new Map<number, Timer>();
  let lastId = 0;
  const arm = (id: number, callback: () => void, everyMs: number): void => {
    const onTime = (): void => {
      // Armed first: the callback may clear it.
      arm(id, callback, everyMs);
      callback();
    };
    running.set(id, clock.setTimer(everyMs, onTime));
  };
  return {
    set(callback, everyMs = 0) {
      lastId += 1;
      arm(lastId, callback, everyMs);
      return lastId;
    },
    clear(id) {
      running.get(id)?.cancel();
      running.delete(id);
    },
  };
}
