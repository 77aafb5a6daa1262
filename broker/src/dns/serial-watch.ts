/** Waits until one secondary serves a serial: it is asked for its SOA as long as anybody waits. */
import { LanyardError, sleep, type Clock, type Random } from '@lanyard/sdk/kernel';
import type { Ask, ServerAddress } from './datagram.ts';
import { isNewerSerial } from './serial.ts';
import { readAnsweredSerial } from './soa-data.ts';
import { soaQuestion } from './zone-question.ts';

export interface SerialWatchOptions {
  readonly server: ServerAddress;
  readonly apex: string;
  readonly ask: Ask;
  readonly clock: Clock;
  readonly random: Random;
}

interface Waiting {
  readonly serial: number;
  readonly untilMs: number;
  readonly resolve: () => void;
  readonly reject: (error: LanyardError) => void;
}

/** Often enough that a CA is not kept waiting, seldom enough for a name server that others ask, too. */
const PAUSE_MS = 150;
/** Nearly every answer takes milliseconds; a lost one must not cost the time of many questions. */
const ANSWER_MS = 1_000;
/** NSD takes two seconds where a change meets another, BIND with its own pauses as many; the rest is for lost packets. */
const LONGEST_MS = 30_000;
/** When the secondary may be back. */
const RETRY_AFTER_MS = 30_000;

export class SerialWatch {
  readonly #options: SerialWatchOptions;
  readonly #life = new AbortController();
  #waiting: readonly Waiting[] = [];
  #isRunning = false;

  constructor(options: SerialWatchOptions) {
    this.#options = options;
  }

  /** Resolves when `serial` or a later one is served. @throws LanyardError `dns-serving-failed` | `stopped`. */
  reached(serial: number): Promise<void> {
    if (this.#life.signal.aborted) return Promise.reject(new LanyardError('stopped'));
    const untilMs = this.#options.clock.monotonicMs() + LONGEST_MS;
    const reached = new Promise<void>((resolve, reject) => {
      this.#waiting = [...this.#waiting, { serial, untilMs, resolve, reject }];
    });
    if (!this.#isRunning) {
      this.#isRunning = true;
      void this.#run();
    }
    return reached;
  }

  stop(): void {
    this.#life.abort();
    this.#settle(({ reject }) => {
      reject(new LanyardError('stopped'));
      return true;
    });
  }

  async #run(): Promise<void> {
    const { server, apex, ask, clock, random } = this.#options;
    while (this.#waiting.length > 0) {
      const answer = await ask(server, soaQuestion(apex, random), hasSerial, ANSWER_MS);
      this.#judge(answer && readAnsweredSerial(answer));
      if (this.#waiting.length > 0) await sleep(clock, PAUSE_MS, this.#life.signal).catch(() => {});
    }
    this.#isRunning = false;
  }

  #judge(served: number | undefined): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#settle((waiting) => {
      if (served !== undefined && !isNewerSerial(waiting.serial, served)) waiting.resolve();
      else if (nowMs >= waiting.untilMs) waiting.reject(this.#tooLate(waiting.serial, served));
      else return false;
      return true;
    });
  }

  /** @param isOver settles one that waits, and says whether it did. */
  #settle(isOver: (waiting: Waiting) => boolean): void {
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting));
  }

  #tooLate(serial: number, served: number | undefined): LanyardError {
    const { server, apex } = this.#options;
    const says = served === undefined ? 'does not answer' : `serves serial ${served}`;
    return new LanyardError('dns-serving-failed', {
      message: `${apex}: the secondary at ${server.address} port ${server.port} ${says}, not ${serial}`,
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
}

function hasSerial(answer: Buffer): boolean {
  return readAnsweredSerial(answer) !== undefined;
}
