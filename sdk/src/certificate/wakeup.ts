/** One timer that is moved about: set for a moment on the monotonic clock, or for none. */
import type { Clock, Timer } from '../kernel/clock.ts';

export class Wakeup {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #timer: Timer | undefined;
  #atMs: number | undefined;

  constructor({ clock, wake }: { readonly clock: Clock; readonly wake: () => void }) {
    this.#clock = clock;
    this.#wake = wake;
  }

  setAt(atMs: number | undefined): void {
    if (atMs === this.#atMs) return;
    this.cancel();
    if (atMs === undefined) return;
    this.#atMs = atMs;
    this.#timer = this.#clock.setTimer(Math.max(0, Math.ceil(atMs - this.#clock.monotonicMs())), () => {
      this.#atMs = undefined;
      this.#wake();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#atMs = undefined;
  }
}
