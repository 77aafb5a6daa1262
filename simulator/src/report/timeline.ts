/** Virtual time cut into a few hundred intervals of equal length, however long the run turns out to be. */

/** More than a chart has pixels for on a phone; fewer than what would weigh in a report. */
export const MOST_INTERVALS = 400;

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Lengths that people can name. */
const WIDTHS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800].map((seconds) => seconds * SECOND_MS),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * HOUR_MS),
];

/** One figure over time. */
interface Track {
  enter(index: number): void;
  /** Makes one interval of each two, up to the one at `index`. */
  halve(index: number): void;
}

/** How much of something there was in each interval. */
export class Flow implements Track {
  readonly #sums = new Float64Array(MOST_INTERVALS);
  readonly #timeline: Timeline;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  add(amount: number): void {
    const { index } = this.#timeline;
    this.#sums[index] = (this.#sums[index] ?? 0) + amount;
  }

  enter(): void {}

  halve(): void {
    const sums = this.#sums;
    for (let to = 0; to < MOST_INTERVALS; to++) sums[to] = (sums[2 * to] ?? 0) + (sums[2 * to + 1] ?? 0);
  }

  get perInterval(): readonly number[] {
    return Array.from(this.#sums.subarray(0, this.#timeline.index + 1));
  }
}

/** How high something stood: at the end of each interval, and at its lowest and highest within. */
export class Gauge implements Track {
  readonly #timeline: Timeline;
  readonly #lasts = new Float64Array(MOST_INTERVALS);
  readonly #lows = new Float64Array(MOST_INTERVALS);
  readonly #highs = new Float64Array(MOST_INTERVALS);
  #now: number;

  constructor(timeline: Timeline, now = 0) {
    this.#timeline = timeline;
    this.#now = now;
    for (const values of [this.#lasts, this.#lows, this.#highs]) values.fill(now);
  }

  get now(): number {
    return this.#now;
  }

  set(value: number): void {
    const { index } = this.#timeline;
    this.#now = value;
    this.#lasts[index] = value;
    if (value < (this.#lows[index] ?? 0)) this.#lows[index] = value;
    if (value > (this.#highs[index] ?? 0)) this.#highs[index] = value;
  }

  enter(index: number): void {
    this.#lasts[index] = this.#now;
    this.#lows[index] = this.#now;
    this.#highs[index] = this.#now;
  }

  halve(index: number): void {
    for (let to = 0; 2 * to <= index; to++) {
      const [one, two] = [2 * to, Math.min(index, 2 * to + 1)];
      this.#lasts[to] = this.#lasts[two] ?? 0;
      this.#lows[to] = Math.min(this.#lows[one] ?? 0, this.#lows[two] ?? 0);
      this.#highs[to] = Math.max(this.#highs[one] ?? 0, this.#highs[two] ?? 0);
    }
  }

  get lasts(): readonly number[] {
    return this.#read(this.#lasts);
  }

  get lows(): readonly number[] {
    return this.#read(this.#lows);
  }

  get highs(): readonly number[] {
    return this.#read(this.#highs);
  }

  #read(values: Float64Array): readonly number[] {
    return Array.from(values.subarray(0, this.#timeline.index + 1));
  }
}

export class Timeline {
  readonly #startMs: number;
  readonly #tracks: Track[] = [];
  #widthMs: number;
  #endMs: number;
  #nowMs: number;
  /** Of the interval that it is now. */
  index = 0;

  /** Without a length it begins with seconds, and doubles them as long as they do not suffice. */
  constructor(startMs: number, lengthMs = 0) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
    this.#widthMs = widthFor(lengthMs);
    this.#endMs = startMs + this.#widthMs;
  }

  flow(): Flow {
    const flow = new Flow(this);
    this.#tracks.push(flow);
    return flow;
  }

  gauge(now?: number): Gauge {
    const gauge = new Gauge(this, now);
    this.#tracks.push(gauge);
    return gauge;
  }

  /** What comes late counts to the interval that it is by then. */
  moveTo(atMs: number): void {
    if (atMs <= this.#nowMs) return;
    this.#nowMs = atMs;
    if (atMs >= this.#endMs) this.#enter(atMs);
  }

  get widthMs(): number {
    return this.#widthMs;
  }

  /** Since the start. */
  get elapsedMs(): number {
    return this.#nowMs - this.#startMs;
  }

  #enter(atMs: number): void {
    while (atMs > this.#startMs + MOST_INTERVALS * this.#widthMs) {
      for (const track of this.#tracks) track.halve(this.index);
      this.index = Math.floor(this.index / 2);
      this.#widthMs *= 2;
    }
    // The very last instant of a run belongs to its last interval.
    const target = Math.min(MOST_INTERVALS - 1, Math.floor((atMs - this.#startMs) / this.#widthMs));
    while (this.index < target) {
      this.index += 1;
      for (const track of this.#tracks) track.enter(this.index);
    }
    this.#endMs = this.#startMs + (target + 1) * this.#widthMs;
  }
}

/** The shortest one that divides the run into few enough. */
function widthFor(lengthMs: number): number {
  const longest = WIDTHS_MS.at(-1) ?? HOUR_MS;
  return WIDTHS_MS.find((widthMs) => lengthMs <= widthMs * MOST_INTERVALS) ?? longest;
}
