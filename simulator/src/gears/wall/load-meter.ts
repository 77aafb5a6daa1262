/** Follows what the processes of a run cost, by the part that they play; a part outlives its processes. */
import { sleep } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { loadOf } from './process-load.ts';
import type { ProcessLoad } from './process-load.ts';

export type Part = 'broker' | 'authority' | 'crowd';

export interface PartLoad {
  /** Of all its processes together. */
  readonly peakRssBytes: number;
  readonly cpuSeconds: number;
}

/** Memory grows in seconds, not in less. */
const SAMPLE_MS = 1_000;

export class LoadMeter {
  readonly #clock: Clock;
  readonly #processes: () => Readonly<Record<Part, readonly (number | undefined)[]>>;
  readonly #peaks: Record<Part, number> = { broker: 0, authority: 0, crowd: 0 };
  readonly #cpu: Record<Part, Map<number, number>> = { broker: new Map(), authority: new Map(), crowd: new Map() };

  /** @param processes who plays which part at the moment. */
  constructor(clock: Clock, processes: () => Readonly<Record<Part, readonly (number | undefined)[]>>) {
    this.#clock = clock;
    this.#processes = processes;
  }

  /** Until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await sleep(this.#clock, SAMPLE_MS, signal).catch(() => {});
    }
  }

  async look(): Promise<void> {
    const processes = this.#processes();
    for (const part of ['broker', 'authority', 'crowd'] as const) {
      const pids = processes[part].filter((pid) => pid !== undefined);
      const loads = await Promise.all(pids.map(async (pid) => [pid, await loadOf(pid)] as const));
      this.#note(part, loads);
    }
  }

  load(part: Part): PartLoad {
    const cpuSeconds = [...this.#cpu[part].values()].reduce((sum, seconds) => sum + seconds, 0);
    return { peakRssBytes: this.#peaks[part], cpuSeconds };
  }

  #note(part: Part, loads: readonly (readonly [number, ProcessLoad | undefined])[]): void {
    let rssBytes = 0;
    for (const [pid, load] of loads) {
      if (load === undefined) continue;
      rssBytes += load.rssBytes;
      this.#cpu[part].set(pid, load.cpuSeconds);
    }
    this.#peaks[part] = Math.max(this.#peaks[part], rssBytes);
  }
}
