/** Tells one secondary that a zone has changed (RFC 1996), and again until it says that it heard. */
import { sleep, type Clock, type Logger, type Random } from '@lanyard/sdk/kernel';
import { sign } from '../tsig/sign.ts';
import type { TsigKey } from '../tsig/tsig-key.ts';
import { verify } from '../tsig/verify.ts';
import type { Ask, ServerAddress } from './datagram.ts';
import { notifyOf } from './zone-question.ts';

export interface Secondary extends ServerAddress {
  readonly key: TsigKey;
}

export interface NotifierOptions {
  readonly secondary: Secondary;
  readonly apex: string;
  readonly ask: Ask;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A fleet changes its zone many times a second; a secondary that hears of it once a second is no further behind. */
const PAUSE_MS = 1_000;
/** RFC 1996 §3.6 says five, and 60 seconds between them, which was for links by telephone. */
const TIMEOUTS_MS = [500, 1_000, 2_000, 4_000, 8_000];

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #life = new AbortController();
  #isRunning = false;
  /** Grows with every change; a round of attempts that is behind begins anew. */
  #wanted = 0;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** To be called after every change. */
  changed(): void {
    this.#wanted += 1;
    if (this.#isRunning || this.#life.signal.aborted) return;
    this.#isRunning = true;
    this.#run()
      .catch(() => {})
      .finally(() => {
        this.#isRunning = false;
      });
  }

  stop(): void {
    this.#life.abort();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    for (let told = 0; told < this.#wanted && !this.#life.signal.aborted;) {
      told = this.#wanted;
      await this.#tell(told);
      await sleep(clock, PAUSE_MS, this.#life.signal);
    }
  }

  async #tell(wanted: number): Promise<void> {
    const { secondary, apex, log } = this.#options;
    for (const timeoutMs of TIMEOUTS_MS) {
      if (await this.#notify(timeoutMs)) return;
      // What there is to tell has changed, and the time until it is given up begins anew.
      if (this.#wanted !== wanted || this.#life.signal.aborted) return;
    }
    log.warn({ apex, secondary: secondary.address, port: secondary.port }, 'DNS: a secondary does not answer NOTIFY');
  }

  /** @returns whether it was heard. */
  async #notify(timeoutMs: number): Promise<boolean> {
    const { secondary, apex, ask, clock, random } = this.#options;
    const { key } = secondary;
    const { message, mac } = sign(notifyOf(apex, random), { key, nowMs: clock.nowMs() });
    const fits = (answer: Buffer): boolean => {
      const { kind } = verify(answer, { keys: [key], nowMs: clock.nowMs(), requestMac: mac });
      return kind === 'good' && (answer.readUInt8(3) & 0x0f) === 0;
    };
    const startMs = clock.monotonicMs();
    const isHeard = (await ask(secondary, message, fits, timeoutMs)) !== undefined;
    // A port that is closed answers at once, and is no less in need of the pause.
    if (!isHeard) await sleep(clock, Math.max(0, startMs + timeoutMs - clock.monotonicMs()), this.#life.signal);
    return isHeard;
  }
}
