/** The name servers that follow the zones by transfer: told of every change, and asked whether they have it. */
import type { Clock, Logger, Random, Runnable } from '@lanyard/sdk/kernel';
import type { Ask } from './datagram.ts';
import { Notifier, type Secondary } from './notifier.ts';
import type { ServingBarrier } from './own-zones.ts';
import { SerialWatch } from './serial-watch.ts';

export interface SecondariesOptions {
  readonly secondaries: readonly Secondary[];
  readonly apexes: readonly string[];
  readonly ask: Ask;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface Follower {
  readonly apex: string;
  readonly notifier: Notifier;
  readonly watch: SerialWatch;
}

export class Secondaries implements ServingBarrier, Runnable {
  readonly #followers: readonly Follower[];

  constructor({ secondaries, apexes, ...world }: SecondariesOptions) {
    this.#followers = apexes.flatMap((apex) =>
      secondaries.map((secondary) => ({
        apex,
        notifier: new Notifier({ secondary, apex, ...world }),
        watch: new SerialWatch({ server: secondary, apex, ...world }),
      })),
    );
  }

  changed(apex: string): void {
    for (const { notifier } of this.#of(apex)) notifier.changed();
  }

  async reached(apex: string, serial: number): Promise<void> {
    await Promise.all(this.#of(apex).map(({ watch }) => watch.reached(serial)));
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    for (const { notifier, watch } of this.#followers) {
      notifier.stop();
      watch.stop();
    }
  }

  #of(apex: string): readonly Follower[] {
    return this.#followers.filter((follower) => follower.apex === apex);
  }
}
