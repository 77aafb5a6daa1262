/** Work that goes on after a request was answered: so much at a time, so much waiting, ended by stop. */
import { describeError, sleep, type Clock, type Logger } from '@lanyard/sdk/kernel';
import { Problem } from './problems.ts';

export interface BackgroundOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How many pieces of work at once; 512 validations are 3,000 DNS questions in flight. */
  readonly concurrency?: number;
  /** How many may wait besides. */
  readonly queueLimit?: number;
}

type Work = (signal: AbortSignal) => Promise<void>;

interface Job {
  readonly delayMs: number;
  readonly work: Work;
  readonly resolve: () => void;
}

export class Background {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #concurrency: number;
  readonly #queueLimit: number;
  readonly #waiting: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: BackgroundOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#concurrency = options.concurrency ?? 512;
    this.#queueLimit = options.queueLimit ?? 10_000;
  }

  /**
   * Runs `work` after `delayMs`; what it throws is logged, so it should catch what it expects.
   * @returns when it is over, however it ended.
   * @throws Problem (503) when too much is waiting already.
   */
  run(delayMs: number, work: Work): Promise<void> {
    if (this.#abort.signal.aborted || this.#waiting.length >= this.#queueLimit) {
      throw new Problem('serverInternal', 'Service busy; retry later.', { status: 503, retryAfterSeconds: 10 });
    }
    return new Promise((resolve) => {
      this.#waiting.push({ delayMs, work, resolve });
      this.#startWaiting();
    });
  }

  /** Abandons everything, and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#abort.abort(new DOMException('the CA is stopping', 'AbortError'));
    for (const job of this.#waiting.splice(0)) job.resolve();
    await Promise.all(this.#running);
  }

  #startWaiting(): void {
    while (this.#running.size < this.#concurrency) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      const running: Promise<void> = this.#perform(job).finally(() => {
        this.#running.delete(running);
        job.resolve();
        this.#startWaiting();
      });
      this.#running.add(running);
    }
  }

  async #perform(job: Job): Promise<void> {
    const { signal } = this.#abort;
    try {
      if (job.delayMs > 0) await sleep(this.#clock, job.delayMs, signal);
      await job.work(signal);
    } catch (error) {
      if (!signal.aborted) this.#log.error({ error: describeError(error) }, 'the model CA failed at work of its own');
    }
  }
}
