/** What time it is, as well as an appliance can know: the broker's word, else its own clock. */
import type { Clock } from '../kernel/clock.ts';
import type { VerificationTime } from './verification.ts';

export class ServerTime {
  readonly #clock: Clock;
  #floorMs: number;
  /** What to add to the monotonic clock, which unlike the wall clock cannot jump. */
  #offsetMs: number | undefined;

  /** @param floorMs a moment that has certainly passed, such as the release of this firmware. */
  constructor({ clock, floorMs }: { readonly clock: Clock; readonly floorMs: number }) {
    this.#clock = clock;
    this.#floorMs = floorMs;
  }

  /** Something dated `passedMs` exists, so it cannot be earlier. */
  raiseFloor(passedMs: number): void {
    this.#floorMs = Math.max(this.#floorMs, passedMs);
  }

  /** The broker's time came over an authenticated line; only what is certainly past is not believed. */
  learn(serverTimeMs: number): void {
    if (serverTimeMs >= this.#floorMs) this.#offsetMs = serverTimeMs - this.#clock.monotonicMs();
  }

  nowMs(): number {
    return this.#offsetMs === undefined ? this.#clock.nowMs() : Math.round(this.#clock.monotonicMs() + this.#offsetMs);
  }

  read(): VerificationTime {
    const nowMs = this.nowMs();
    return { nowMs, isPlausible: nowMs >= this.#floorMs };
  }
}
