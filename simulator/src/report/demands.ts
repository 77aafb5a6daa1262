/** Compares what was measured with what a scenario demands, so that a run can fail a build. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { describeDuration, durationMs } from './duration.ts';

export interface Demand {
  /** The way to a figure of the JSON report: `timeToCertificateMs.p99`, `certifiedShare`, `authority.limited`. */
  readonly measure: string;
  /** A number, or a duration such as `4h` for a measure in milliseconds. */
  readonly atLeast?: number | string | undefined;
  readonly atMost?: number | string | undefined;
  readonly because?: string | undefined;
  /** The measure is divided by the number of appliances, or of shards with a broker and a CA each, before it is compared. */
  readonly per?: keyof typeof DIVISORS | undefined;
}

export interface DemandFinding {
  /** With ` per appliance` where it is. */
  readonly measure: string;
  /** Absent: it happened to nobody, so that there is no such figure. */
  readonly found?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Both, for people to read. */
  readonly foundText: string;
  readonly wantedText: string;
  readonly isMet: boolean;
  readonly because?: string;
}

/** Counts by names that somebody else makes up: one that was never counted is 0. */
const TALLIES: readonly string[] = [
  'problems',
  'refusals',
  'messages',
  'authority',
  'orders',
  'certificates.byCa',
  'limits',
  'expiries.byExcuse',
];
const NEAR_NAMES = 5;

const DIVISORS = { appliance: 'appliances', shard: 'shards' } as const;

/** @throws LanyardError `option-invalid` when a demand names no measure or no bound. */
export function judge(measured: object, demands: readonly Demand[]): readonly DemandFinding[] {
  const measures = measuresOf(measured);
  return demands.map((demand) => find(measures, demand));
}

function find(measures: ReadonlyMap<string, number | undefined>, demand: Demand): DemandFinding {
  const { measure, because, per } = demand;
  const found = figureOf(measures, demand);
  const atLeast = boundOf(demand, demand.atLeast);
  const atMost = boundOf(demand, demand.atMost);
  if (atLeast === undefined && atMost === undefined) throw invalid(`the demand on ${measure} needs atLeast or atMost`);
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${figureText(measure, atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${figureText(measure, atMost)}`]),
  ];
  return {
    measure: per === undefined ? measure : `${measure} per ${per}`,
    ...(found !== undefined && { found }),
    ...(atLeast !== undefined && { atLeast }),
    ...(atMost !== undefined && { atMost }),
    foundText: found === undefined ? 'nothing to measure' : figureText(measure, found),
    wantedText: bounds.join(', '),
    // What did not happen at all did not happen in time either.
    isMet: found !== undefined && found >= (atLeast ?? -Infinity) && found <= (atMost ?? Infinity),
    ...(because !== undefined && { because }),
  };
}

function figureOf(measures: ReadonlyMap<string, number | undefined>, { measure, per }: Demand): number | undefined {
  if (!measures.has(measure) && !isTallied(measure)) throw unknownMeasure(measure, [...measures.keys()]);
  const figure = measures.has(measure) ? measures.get(measure) : 0;
  if (figure === undefined || per === undefined) return figure;
  return figure / Math.max(1, measures.get(DIVISORS[per]) ?? 1);
}

function isTallied(measure: string): boolean {
  return TALLIES.some((tally) => measure.startsWith(`${tally}.`) && measure.length > tally.length + 1);
}

function boundOf({ measure }: Demand, given: number | string | undefined): number | undefined {
  if (given === undefined || typeof given === 'number') return given;
  const ms = durationMs(given);
  if (ms === undefined) throw invalid(`"${given}" for ${measure} is neither a number nor a duration such as 4h`);
  if (!isDuration(measure)) throw invalid(`${measure} is no duration, so that "${given}" says nothing of it`);
  return ms;
}

/** `timeToCertificateMs.p99`, `series.intervalMs`; but not how many figures there were. */
function isDuration(measure: string): boolean {
  return /Ms(\.|$)/.test(measure) && !measure.endsWith('.count');
}

/** Figures as people read them, by the measure's unit. */
export function figureText(measure: string, figure: number): string {
  if (!isDuration(measure)) return String(Math.round(figure * 1e4) / 1e4);
  return figure < 0 ? `-${describeDuration(-figure)}` : describeDuration(figure);
}

/** Every number in the report by its name; of the lists of a series the least and the most, as `series.hellos.max`. */
function measuresOf(measured: object, prefix = ''): Map<string, number | undefined> {
  const measures = new Map<string, number | undefined>();
  for (const [name, value] of Object.entries(measured)) {
    const path = `${prefix}${name}`;
    if (value === undefined || typeof value === 'number') measures.set(path, value);
    else if (path.startsWith('series.') && Array.isArray(value)) addExtremes(measures, path, value);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [inner, figure] of measuresOf(value, `${path}.`)) measures.set(inner, figure);
    }
  }
  return measures;
}

function addExtremes(measures: Map<string, number | undefined>, path: string, values: readonly unknown[]): void {
  const figures = values.filter((figure) => typeof figure === 'number');
  const isEmpty = figures.length === 0;
  // Spread into Math.min they would be as many arguments.
  measures.set(`${path}.min`, isEmpty ? undefined : figures.reduce((least, figure) => Math.min(least, figure)));
  measures.set(`${path}.max`, isEmpty ? undefined : figures.reduce((most, figure) => Math.max(most, figure)));
}

function unknownMeasure(measure: string, known: readonly string[]): LanyardError {
  const near = known
    .map((name) => ({ name, distance: distanceBetween(measure.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, NEAR_NAMES)
    .map(({ name }) => name);
  return invalid(`nothing is measured as "${measure}"; near are ${near.join(', ')}`);
}

function invalid(message: string): LanyardError {
  return new LanyardError('option-invalid', { message });
}

/** How many letters have to be typed, struck or exchanged (Levenshtein). */
function distanceBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of one.split('').entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      const exchanged = (row[j] ?? 0) + (letter === other[j] ? 0 : 1);
      next.push(Math.min(exchanged, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
