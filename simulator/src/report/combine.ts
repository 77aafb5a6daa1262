/** Adds up what the parts of a fleet measured, each in a thread of its own. */
import { Distribution } from './distribution.ts';
import type { DistributionState, Spread } from './distribution.ts';
import type { Counts, Series, Snapshot } from './snapshot.ts';

/** The measures that have to be added up bucket by bucket, since percentiles cannot be. */
type Distributed = 'timeToCertificateMs' | 'timeToRenewalMs' | 'expiryMarginMs' | 'publishLatencyMs';

export interface Parcel {
  readonly snapshot: Snapshot;
  readonly distributions: Readonly<Record<Distributed, DistributionState>>;
  readonly flashBytesPerYear: DistributionState;
}

export interface Combined {
  readonly snapshot: Snapshot;
  readonly flashBytesPerYear: Spread;
}

/** @param parcels of runs of one length that began at one instant; at least one. */
export function combine(parcels: readonly [Parcel, ...Parcel[]]): Combined {
  const snapshots = parcels.map(({ snapshot }) => snapshot);
  const [first] = parcels;
  const sumOf = (pick: (snapshot: Snapshot) => number): number => sum(snapshots.map(pick));
  const countsOf = (pick: (snapshot: Snapshot) => Counts): Counts => addCounts(snapshots.map(pick));
  const spreadOf = (name: Distributed): Spread => spread(parcels.map(({ distributions }) => distributions[name]));
  const snapshot: Snapshot = {
    simulatedMs: Math.max(...snapshots.map(({ simulatedMs }) => simulatedMs)),
    happenings: sumOf(({ happenings }) => happenings),
    heads: {
      live: sumOf(({ heads }) => heads.live),
      connected: sumOf(({ heads }) => heads.connected),
      certified: sumOf(({ heads }) => heads.certified),
      expired: sumOf(({ heads }) => heads.expired),
      onceCertified: sumOf(({ heads }) => heads.onceCertified),
    },
    timeToCertificateMs: spreadOf('timeToCertificateMs'),
    timeToRenewalMs: spreadOf('timeToRenewalMs'),
    expiryMarginMs: spreadOf('expiryMarginMs'),
    publishLatencyMs: spreadOf('publishLatencyMs'),
    expiries: {
      total: sumOf(({ expiries }) => expiries.total),
      unexcused: sumOf(({ expiries }) => expiries.unexcused),
      byExcuse: countsOf(({ expiries }) => expiries.byExcuse),
    },
    problems: countsOf(({ problems }) => problems),
    refusals: countsOf(({ refusals }) => refusals),
    messages: countsOf(({ messages }) => messages),
    authority: countsOf(({ authority }) => authority),
    orders: countsOf(({ orders }) => orders),
    certificates: { byCa: countsOf(({ certificates }) => certificates.byCa) },
    standIns: sumOf(({ standIns }) => standIns),
    limits: countsOf(({ limits }) => limits),
    series: addSeries(snapshots.map(({ series }) => series)),
    // The same things happen to every part at the same time.
    events: first.snapshot.events,
  };
  return { snapshot, flashBytesPerYear: spread(parcels.map(({ flashBytesPerYear }) => flashBytesPerYear)) };
}

function spread(states: readonly DistributionState[]): Spread {
  const all = new Distribution();
  for (const state of states) all.absorb(state);
  return all.spread();
}

function addCounts(all: readonly Counts[]): Counts {
  const total = new Map<string, number>();
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) total.set(name, (total.get(name) ?? 0) + count);
  }
  return Object.fromEntries([...total].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** Lows and highs of the parts need not coincide: their sums bound those of the whole. */
function addSeries(all: readonly Series[]): Series {
  const rows = (pick: (series: Series) => readonly number[]): readonly number[] => addRows(all.map(pick));
  return {
    intervalMs: all[0]?.intervalMs ?? 0,
    live: rows(({ live }) => live),
    connected: rows(({ connected }) => connected),
    connectedLow: rows(({ connectedLow }) => connectedLow),
    certified: rows(({ certified }) => certified),
    expired: rows(({ expired }) => expired),
    hellos: rows(({ hellos }) => hellos),
    orders: rows(({ orders }) => orders),
    certificates: rows(({ certificates }) => certificates),
    limited: rows(({ limited }) => limited),
    buckets: Object.assign({}, ...all.map(({ buckets }) => buckets)),
  };
}

function addRows(rows: readonly (readonly number[])[]): readonly number[] {
  const length = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length }, (_, index) => sum(rows.map((row) => row[index] ?? 0)));
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
