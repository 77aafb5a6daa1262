/** How many of millions of figures were how large, in a few kilobytes: buckets whose widths grow with what they hold. */

/** Each bucket ends 2 % above where it begins, so that its middle is within 1 % of everything in it. */
const GROWTH = 1.02;
const PER_LOG = 1 / Math.log(GROWTH);
/** Up to 4e13: a thousand years of milliseconds. What is larger counts into the last bucket; `max` stays exact. */
const BUCKETS = 1_584;
/** Bars of a chart that can still be told apart on a phone. */
const MOST_BARS = 40;

/** All of a distribution that is reported. Undefined where there is nothing to say it of. */
export interface Spread {
  readonly count: number;
  readonly mean: number | undefined;
  readonly min: number | undefined;
  readonly p1: number | undefined;
  readonly p5: number | undefined;
  readonly p50: number | undefined;
  readonly p90: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
  /** The same as bars of equal width. */
  readonly bars: { readonly from: number; readonly width: number; readonly counts: readonly number[] };
}

/** Everything a distribution knows, in plain figures: it may cross to another thread and be added up there. */
export interface DistributionState {
  /** By bucket; those that are empty are left out. */
  readonly counts: readonly (readonly [bucket: number, count: number])[];
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export class Distribution {
  /** The first bucket holds what is below 1; the others follow each other by `GROWTH`. */
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  record(value: number): void {
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    const index = value < 1 ? 0 : 1 + Math.floor(Math.log(value) * PER_LOG);
    const bucket = index < BUCKETS ? index : BUCKETS - 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  state(): DistributionState {
    const counts = [...this.#counts.entries()].filter(([, count]) => count > 0);
    return { counts, count: this.#count, sum: this.#sum, min: this.#min, max: this.#max };
  }

  /** Adds what another one was told. */
  absorb({ counts, count, sum, min, max }: DistributionState): void {
    for (const [bucket, more] of counts) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + more;
    this.#count += count;
    this.#sum += sum;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
  }

  get count(): number {
    return this.#count;
  }

  /** The smallest figure that `share` of all do not exceed, within 1 %; below 1 within 1. */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    if (rank >= this.#count) return this.#max;
    let seen = 0;
    let index = -1;
    while (seen < rank && index < BUCKETS - 1) seen += this.#counts[++index] ?? 0;
    return Math.min(this.#max, Math.max(this.#min, middleOf(index)));
  }

  spread(): Spread {
    const isEmpty = this.#count === 0;
    return {
      count: this.#count,
      mean: isEmpty ? undefined : this.#sum / this.#count,
      min: isEmpty ? undefined : this.#min,
      p1: this.quantile(0.01),
      p5: this.quantile(0.05),
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p95: this.quantile(0.95),
      p99: this.quantile(0.99),
      max: isEmpty ? undefined : this.#max,
      bars: this.#bars(),
    };
  }

  #bars(): Spread['bars'] {
    if (this.#count === 0) return { from: 0, width: 1, counts: [] };
    const from = Math.max(0, this.#min);
    const to = Math.max(from, this.#max);
    const width = (to - from) / MOST_BARS || 1;
    const counts = Array.from({ length: MOST_BARS }, () => 0);
    const placeOf = (value: number): number => (Math.min(to, Math.max(from, value)) - from) / width;
    for (const [index, count] of this.#counts.entries()) {
      if (count > 0) spreadOver(counts, count, placeOf(endOf(index - 1)), placeOf(endOf(index)));
    }
    return { from, width, counts };
  }
}

/** Narrow bars take their shares of a bucket; else some would stay empty between others that hold all. */
function spreadOver(bars: number[], count: number, from: number, to: number): void {
  const last = bars.length - 1;
  let given = 0;
  for (let bar = Math.min(last, Math.floor(from)); given < count; bar++) {
    const isLast = bar >= last || bar + 1 >= to;
    const upToHere = isLast ? count : Math.round((count * (bar + 1 - from)) / (to - from));
    bars[bar] = (bars[bar] ?? 0) + upToHere - given;
    given = upToHere;
  }
}

/** Where a bucket ends and the next one begins. */
function endOf(index: number): number {
  return index < 0 ? 0 : GROWTH ** index;
}

/** The geometric one, from which both ends are equally far in per cent. */
function middleOf(index: number): number {
  return index === 0 ? 0 : GROWTH ** (index - 0.5);
}
