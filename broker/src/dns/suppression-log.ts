/** Tells the operator of answers that the rate limit held back: one line a minute however many there are. */
import type { Clock, Logger, Timer } from '@lanyard/sdk/kernel';

export interface SuppressionLogOptions {
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: Logger;
}

const INTERVAL_MS = 60_000;

export class SuppressionLog {
  readonly #options: SuppressionLogOptions;
  #slipped = 0;
  #dropped = 0;
  #timer: Timer | undefined;

  constructor(options: SuppressionLogOptions) {
    this.#options = options;
  }

  /** @param address of the sender; the line names the first of its minute, as an example. */
  note(verdict: 'slip' | 'drop', address: string): void {
    if (verdict === 'slip') this.#slipped += 1;
    else this.#dropped += 1;
    this.#timer ??= this.#options.clock.setTimer(INTERVAL_MS, () => this.#tell(address));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tell(example: string): void {
    const fields = { slipped: this.#slipped, dropped: this.#dropped, example };
    this.#timer = undefined;
    this.#slipped = 0;
    this.#dropped = 0;
    this.#options.log.warn(fields, 'DNS: answers were held back, too many for one network');
  }
}
