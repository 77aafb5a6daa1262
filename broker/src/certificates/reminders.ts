/** Wakes up when a connected appliance's next step becomes due, to the instant: renewal windows can be narrow. */
import type { Clock, Runnable, Timer } from '@lanyard/sdk/kernel';
import { DueQueue } from './due-queue.ts';

export interface RemindersParts {
  readonly clock: Clock;
  /** Must not throw; is called once for each reminder. */
  readonly remind: (deviceId: string) => void;
}

export class Reminders implements Runnable {
  readonly #parts: RemindersParts;
  readonly #queue = new DueQueue<string>();
  #isRunning = false;
  #timer: Timer | undefined;

  constructor(parts: RemindersParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  /** Replaces the appliance's reminder. */
  set(deviceId: string, atMs: number): void {
    this.#queue.set(deviceId, atMs);
    this.#arm();
  }

  forget(deviceId: string): void {
    this.#queue.delete(deviceId);
  }

  #arm(): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    const nextMs = this.#queue.nextDueMs();
    if (nextMs === undefined || !this.#isRunning) return;
    this.#timer = clock.setTimer(Math.max(0, nextMs - clock.nowMs()), () => this.#ring());
  }

  #ring(): void {
    const nowMs = this.#parts.clock.nowMs();
    for (let id = this.#queue.takeDue(nowMs); id !== undefined; id = this.#queue.takeDue(nowMs)) this.#parts.remind(id);
    this.#arm();
  }
}
