/** All the processes of a crowd as one: shares the appliances out, sends commands to whom they concern, sums up. */
import type { LanyardError, Clock } from '@lanyard/sdk/kernel';
import type { Witness } from '../../world/happening.ts';
import type { BuildCommand, CrowdCommand } from './crowd-messages.ts';
import { CrowdProcess } from './crowd-process.ts';
import { demandOpenFiles } from './open-files.ts';
import { sdkIn, slicesOf } from './slices.ts';
import type { Crowd, Slice } from './slices.ts';

export interface CrowdHostParts {
  readonly crowd: Crowd;
  readonly perProcess: number;
  readonly clock: Clock;
  readonly tell: Witness;
  /** One of the processes is dead: the run cannot go on. */
  readonly abandon: (error: LanyardError) => void;
}

/** Above this, one process would use one core while the other has nothing to do. */
const ALONE = 500;

export class CrowdHost {
  readonly #parts: CrowdHostParts;
  #processes: readonly { readonly slice: Slice; readonly process: CrowdProcess }[] = [];

  constructor(parts: CrowdHostParts) {
    this.#parts = parts;
  }

  get pids(): readonly number[] {
    return this.#processes.flatMap(({ process }) => process.pid ?? []);
  }

  /** Starts the processes and makes everybody. @throws LanyardError `option-invalid` when there are too few open files. */
  async build(
    { door, takesProxyHeader, admin, trustedRoots, seed, directory }: BuildSettings,
    onMade: (made: number) => void,
  ): Promise<void> {
    const { crowd, perProcess } = this.#parts;
    const processes = Math.max(Math.ceil(crowd.appliances / perProcess), crowd.appliances > ALONE ? 2 : 1);
    const slices = slicesOf(crowd, processes);
    // One for the connection of each, and one more for the web page of those that have one.
    for (const slice of slices) demandOpenFiles('a process of the crowd', slice.count + sdkIn(crowd, slice));
    let made = 0;
    this.#processes = slices.map((slice) => ({
      slice,
      process: this.#process(slice, (count) => onMade((made += count))),
    }));
    for (const { process } of this.#processes) process.start();
    const common = { kind: 'build', crowd, seed, directory, door, takesProxyHeader, admin } as const;
    await Promise.all(
      this.#processes.map(({ slice, process }) => process.ask({ ...common, slice, trustedRoots: [...trustedRoots] })),
    );
  }

  /** Resolves when everybody whom it concerns has done it. */
  async command(command: CrowdCommand): Promise<void> {
    await Promise.all(
      this.#processes.map(async ({ slice: { first, count }, process }) => {
        if (!('numbers' in command)) return void (await process.ask(command));
        const numbers = command.numbers.filter((number) => number >= first && number < first + count);
        if (numbers.length > 0) await process.ask({ ...command, numbers });
      }),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#processes.map(({ process }) => process.end()));
  }

  #process({ first, count }: Slice, onMade: (count: number) => void): CrowdProcess {
    const { clock, tell, abandon } = this.#parts;
    return new CrowdProcess({
      label: `appliances ${first + 1} to ${first + count}`,
      clock,
      onMade,
      onHappenings: (happenings) => happenings.forEach(tell),
      onDeath: abandon,
    });
  }
}

type BuildSettings = Pick<BuildCommand, 'door' | 'takesProxyHeader' | 'admin' | 'seed' | 'directory'> & {
  readonly trustedRoots: readonly string[];
};
