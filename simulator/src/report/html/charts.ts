/** Which charts a report has, and what is in each: data for the script that draws them. */
import { describeDuration } from '../duration.ts';
import type { Result } from '../result.ts';

/** A colour of the style sheet, which knows it for light and dark. */
type Colour = 'good' | 'bad' | 'main' | 'calm' | 'warm' | 'other' | 'second' | 'third';

export interface Line {
  readonly label: string;
  readonly values: readonly number[];
  readonly colour: Colour;
  readonly isFilled?: boolean;
  readonly isDashed?: boolean;
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** `lines`: a point at each of `xs`; `steps`: holds until the next; `bars`: one around each. */
  readonly shape: 'lines' | 'steps' | 'bars';
  /** Milliseconds, since the start or long. */
  readonly xs: readonly number[];
  readonly range: readonly [number, number];
  readonly lines: readonly Line[];
  readonly isPercent?: boolean;
  /** Instants at which the scenario did something. */
  readonly marks: readonly number[];
}

/** One with nothing to show is left out. */
export function chartsOf(result: Result): readonly Chart[] {
  const charts = [certified(result), issuance(result), buckets(result), connections(result), hellos(result)];
  return [...charts, margins(result)].filter((chart) => chart !== undefined);
}

function certified(result: Result): Chart {
  const { series } = result;
  return {
    ...overTime(result, 'lines'),
    id: 'certified',
    title: 'Certified',
    about: 'Appliances that hold a certificate, are switched on, are connected, hold one that has ended.',
    lines: [
      { label: 'certified', values: fromNothing(series.certified), colour: 'good', isFilled: true },
      { label: 'live', values: fromNothing(series.live), colour: 'calm', isDashed: true },
      { label: 'connected', values: fromNothing(series.connected), colour: 'main' },
      { label: 'expired', values: fromNothing(series.expired), colour: 'bad' },
    ],
  };
}

function issuance(result: Result): Chart {
  const { series } = result;
  return {
    ...overTime(result, 'steps'),
    id: 'issuance',
    title: 'Orders and certificates',
    about: `What the CA did, in intervals of ${describeDuration(series.intervalMs)}.`,
    lines: [
      { label: 'certificates', values: untilEnd(series.certificates), colour: 'good', isFilled: true },
      { label: 'orders', values: untilEnd(series.orders), colour: 'main' },
      { label: 'refused by limits', values: untilEnd(series.limited), colour: 'bad' },
    ],
  };
}

const BUCKET_COLOURS: readonly Colour[] = ['main', 'warm', 'good', 'other', 'second', 'third'];

function buckets(result: Result): Chart | undefined {
  const { buckets: levels, intervalMs } = result.series;
  const lines = Object.entries(levels).map(([name, { burst, left }], index): Line => {
    const shares = left.map((tokens) => tokens / Math.max(1, burst));
    const colour = BUCKET_COLOURS[index % BUCKET_COLOURS.length] ?? 'main';
    return { label: name, values: untilEnd(shares), colour, isDashed: index >= BUCKET_COLOURS.length };
  });
  if (lines.length === 0) return undefined;
  return {
    ...overTime(result, 'steps'),
    id: 'buckets',
    title: 'The CA’s buckets',
    about: `The least that was left in each, in intervals of ${describeDuration(intervalMs)}; at 0 % the CA refuses.`,
    lines,
    isPercent: true,
  };
}

function connections(result: Result): Chart {
  const { series } = result;
  return {
    ...overTime(result, 'steps'),
    id: 'connections',
    title: 'Connections',
    about: `Appliances that are connected, at the end of each ${describeDuration(series.intervalMs)} and at the lowest within.`,
    lines: [
      { label: 'connected', values: untilEnd(series.connected), colour: 'main', isFilled: true },
      { label: 'lowest', values: untilEnd(series.connectedLow), colour: 'warm' },
    ],
  };
}

function hellos(result: Result): Chart {
  const { hellos: counts, intervalMs } = result.series;
  return {
    ...overTime(result, 'steps'),
    id: 'hellos',
    title: 'Hellos',
    about: `Appliances telling the broker what they have, in intervals of ${describeDuration(intervalMs)}.`,
    lines: [{ label: 'hellos', values: untilEnd(counts), colour: 'other', isFilled: true }],
  };
}

function margins({ expiryMarginMs }: Result): Chart | undefined {
  const { min = 0, max = 0, count, bars } = expiryMarginMs;
  if (count === 0) return undefined;
  // Forty bars within an hour of each other, ninety days away, would be forty labels of the same.
  const isOne = max - min < max * 0.02;
  const width = isOne ? Math.max(1, max * 0.02) : bars.width;
  const counts = isOne ? [count] : bars.counts;
  const xs = counts.map((_, index) => (isOne ? max : bars.from + (index + 0.5) * width));
  const sides = isOne ? 10 * width : width;
  const [first = 0, last = 0] = [xs[0], xs.at(-1)];
  return {
    id: 'margins',
    title: 'Expiry margin',
    about: 'What was left of a certificate when the next one took its place.',
    shape: 'bars',
    xs,
    range: [Math.max(0, first - sides), last + sides],
    lines: [{ label: 'renewals', values: counts, colour: 'main', isFilled: true }],
    marks: [],
  };
}

/** Intervals begin at 0; the last one ends when the run did. */
function overTime({ series, simulatedMs, events }: Result, shape: 'lines' | 'steps') {
  const begins = series.live.map((_, index) => index * series.intervalMs);
  const endMs = Math.max(simulatedMs, (begins.at(-1) ?? 0) + 1);
  const marks = events.filter(({ phase }) => phase === 'begins').map(({ atMs }) => atMs);
  return { shape, xs: [...begins, endMs], range: [0, endMs] as const, marks };
}

/** Figures at the end of each interval, after the nothing at the start. */
function fromNothing(values: readonly number[]): readonly number[] {
  return [0, ...values];
}

/** Figures that hold throughout an interval, the last one to its end. */
function untilEnd(values: readonly number[]): readonly number[] {
  return [...values, values.at(-1) ?? 0];
}
