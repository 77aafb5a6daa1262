/** What a run on real sockets comes to, counted from what happens while it happens. */
import { Distribution } from '../../report/distribution.ts';
import type { Spread } from '../../report/distribution.ts';
import type { Happening } from '../../world/happening.ts';

/** How the crowd came back after the broker had been away. */
export interface Recovery {
  readonly what: 'stopped' | 'killed';
  /** Since the start of the run. */
  readonly atMs: number;
  readonly awayMs: number;
  /** From the broker's return until everybody was connected again; absent when that never came. */
  readonly backMs?: number;
}

interface Away {
  readonly what: Recovery['what'];
  readonly atMs: number;
  /** When the broker was there again. */
  readonly untilMs?: number;
}

const ON = 1;
const CONNECTED = 2;
const CERTIFIED = 4;

export class WallTally {
  readonly #startMs: number;
  readonly #marks: Uint8Array;
  readonly #counts = new Map<number, number>([
    [ON, 0],
    [CONNECTED, 0],
    [CERTIFIED, 0],
  ]);
  readonly #waits = new Distribution();
  readonly #problems = new Map<string, number>();
  /** By second of the run. */
  readonly #connects = new Map<number, number>();
  readonly #recoveries: Recovery[] = [];
  #away: Away | undefined;
  #peakConnected = 0;
  #firstMs: number | undefined;
  #lastCertifiedMs: number | undefined;

  constructor({ appliances, startMs }: { readonly appliances: number; readonly startMs: number }) {
    this.#startMs = startMs;
    this.#marks = new Uint8Array(appliances);
  }

  get on(): number {
    return this.#count(ON);
  }

  get connected(): number {
    return this.#count(CONNECTED);
  }

  get certified(): number {
    return this.#count(CERTIFIED);
  }

  get peakConnected(): number {
    return this.#peakConnected;
  }

  get recoveries(): readonly Recovery[] {
    return this.#away === undefined ? this.#recoveries : [...this.#recoveries, this.#recovery(this.#away)];
  }

  /** How often each problem was met. */
  problems(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#problems);
  }

  waits(): Spread {
    return this.#waits.spread();
  }

  /** Of first certificates, from the first power-on to the last of them. */
  certificatesPerSecond(): number {
    const tookMs = (this.#lastCertifiedMs ?? 0) - (this.#firstMs ?? 0);
    return tookMs > 0 ? (this.#waits.count / tookMs) * 1000 : 0;
  }

  /** `mean` of the seconds in which anybody connected at all. */
  connectsPerSecond(): { readonly peak: number; readonly mean: number } {
    const counts = [...this.#connects.values()];
    const sum = counts.reduce((total, count) => total + count, 0);
    return { peak: counts.reduce((most, count) => Math.max(most, count), 0), mean: sum / Math.max(1, counts.length) };
  }

  note(happening: Happening): void {
    switch (happening.kind) {
      case 'powered':
        this.#firstMs ??= happening.atMs;
        return this.#mark(happening.appliance, ON, happening.isOn);
      case 'connected':
        return this.#onConnected(happening.appliance, happening.atMs);
      case 'disconnected':
        return this.#mark(happening.appliance, CONNECTED, false);
      case 'installed':
        this.#mark(happening.appliance, CERTIFIED, true);
        if (!happening.isFirst) return;
        this.#lastCertifiedMs = happening.atMs;
        return this.#waits.record(happening.waitedMs);
      case 'problem':
        return this.#countProblem(happening.code);
      case 'told':
        return happening.what === 'problem' ? this.#countProblem(`told ${happening.about}`) : undefined;
      case 'broker':
        return this.#onBroker(happening.what, happening.atMs);
      default:
        return;
    }
  }

  #onConnected(appliance: number, atMs: number): void {
    this.#mark(appliance, CONNECTED, true);
    const second = Math.floor((atMs - this.#startMs) / 1000);
    this.#connects.set(second, (this.#connects.get(second) ?? 0) + 1);
    this.#peakConnected = Math.max(this.#peakConnected, this.connected);
    const away = this.#away;
    if (away?.untilMs === undefined || this.connected < this.on) return;
    this.#away = undefined;
    this.#recoveries.push({ ...this.#recovery(away), backMs: atMs - away.untilMs });
  }

  #recovery({ what, atMs, untilMs = atMs }: Away): Recovery {
    return { what, atMs: atMs - this.#startMs, awayMs: untilMs - atMs };
  }

  #onBroker(what: 'started' | 'stopped' | 'killed', atMs: number): void {
    if (what !== 'started') {
      if (this.#away) this.#recoveries.push(this.#recovery(this.#away));
      this.#away = { what, atMs };
    } else if (this.#away) this.#away = { ...this.#away, untilMs: atMs };
  }

  #countProblem(code: string): void {
    this.#problems.set(code, (this.#problems.get(code) ?? 0) + 1);
  }

  #count(mark: number): number {
    return this.#counts.get(mark) ?? 0;
  }

  #mark(appliance: number, mark: number, isSo: boolean): void {
    const marks = this.#marks[appliance] ?? 0;
    if (((marks & mark) !== 0) === isSo) return;
    this.#marks[appliance] = marks ^ mark;
    this.#counts.set(mark, this.#count(mark) + (isSo ? 1 : -1));
  }
}
