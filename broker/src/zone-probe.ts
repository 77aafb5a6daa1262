/** A record in the zone for a minute, so that the doctor can see from outside whether what is published arrives. */
import { describeError, randomHex } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable, Timer } from '@lanyard/sdk/kernel';
import type { ChallengeBoard, ChallengeRecord } from './certificates/challenge-board.ts';

export interface ZoneProbeParts {
  readonly apex: string;
  readonly zones: Pick<ChallengeBoard, 'put' | 'clear'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Twice as long as the doctor works. What a crash leaves behind, the next start takes down with other strays. */
const SHOWN_MS = 60_000;

export class ZoneProbe implements Runnable {
  readonly #parts: ZoneProbeParts;
  #shown: Shown | undefined;

  constructor(parts: ZoneProbeParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#takeDown();
  }

  /**
   * Whoever asks while one is shown gets that one, and a minute more: there is never a second.
   * @throws LanyardError `dns-serving-failed` | `stopped` when it cannot be published.
   */
  async publish(): Promise<{ readonly name: string; readonly value: string }> {
    const { zones, clock } = this.#parts;
    const shown = (this.#shown ??= { record: this.#make() });
    shown.timer?.cancel();
    shown.timer = clock.setTimer(SHOWN_MS, () => void this.#takeDown());
    const { name, value } = shown.record;
    await zones.put(shown.record);
    return { name, value };
  }

  /** A name that was never asked for: no resolver remembers that it was not there. */
  #make(): ChallengeRecord {
    const { apex, random } = this.#parts;
    return { kind: 'txt', name: `_lanyard-doctor-${randomHex(random, 8)}.${apex}`, value: randomHex(random, 16) };
  }

  async #takeDown(): Promise<void> {
    const shown = this.#shown;
    if (shown === undefined) return;
    this.#shown = undefined;
    shown.timer?.cancel();
    try {
      await this.#parts.zones.clear(shown.record);
    } catch (error) {
      this.#parts.log.warn(
        { name: shown.record.name, err: describeError(error) },
        'the doctor’s record stays until a restart',
      );
    }
  }
}

interface Shown {
  readonly record: ChallengeRecord;
  timer?: Timer;
}
