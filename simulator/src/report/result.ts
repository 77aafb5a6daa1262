/** What is left of a run when it is over: the JSON report, and the one line that scripts read. */
import type { Demand, DemandFinding } from './demands.ts';
import { judge } from './demands.ts';
import type { Spread } from './distribution.ts';
import { Measurements } from './measurements.ts';
import type { Snapshot } from './snapshot.ts';

/** What was run, and what it cost. */
export interface RunFacts {
  readonly scenario: string;
  /** One sentence: what is tried. */
  readonly about: string;
  readonly gear: string;
  readonly appliances: number;
  /** Parts of the fleet, each with a broker and a CA account of its own; absent: there is one. */
  readonly shards?: number;
  readonly seed: number;
  readonly eventHash: string;
  /** Of real time. */
  readonly seconds: number;
  readonly peakRssMb: number;
  /** Of Lanyard. */
  readonly version: string;
  /** The command that does it again. */
  readonly replay: string;
  /** What the processes of a run on real sockets used. */
  readonly load?: object;
}

/** A promise that was broken. */
export interface Violation {
  readonly invariant: string;
  /** Since the start of the run. */
  readonly atMs: number;
  readonly appliance?: number;
  readonly detail: string;
  /** What had happened to that appliance, the latest last. */
  readonly lastEvents: readonly string[];
  /** The command that shows it again. */
  readonly replay: string;
  /** Why the scenario puts up with it. */
  readonly tolerated?: string;
}

export interface Violations {
  /** Of those that nobody tolerates, also when not all of them were kept. */
  readonly total: number;
  readonly tolerated: number;
  readonly shown: readonly Violation[];
}

export interface Result extends RunFacts, Snapshot {
  readonly isPassed: boolean;
  /** Appliances that hold a certificate that has not ended. */
  readonly certified: number;
  readonly certifiedShare: number;
  readonly onceCertifiedShare: number;
  readonly flashBytesPerYear: Spread;
  readonly violations: Violations;
  readonly demands: readonly DemandFinding[];
}

export interface ResultParts {
  readonly run: RunFacts;
  readonly snapshot: Snapshot;
  readonly flashBytesPerYear: Spread;
  readonly violations: Violations;
  readonly demands: readonly Demand[];
}

/** A thousand of them tell nothing that the first fifty do not. */
const MOST_VIOLATIONS = 50;

/** @throws LanyardError `option-invalid` for a demand that asks for what is not measured. */
export function resultOf({ run, snapshot, flashBytesPerYear, violations, demands }: ResultParts): Result {
  const { certified, onceCertified } = snapshot.heads;
  const measured = {
    ...run,
    ...snapshot,
    certified,
    certifiedShare: certified / run.appliances,
    onceCertifiedShare: onceCertified / run.appliances,
    flashBytesPerYear,
    violations: { ...violations, shown: violations.shown.slice(0, MOST_VIOLATIONS) },
  };
  const findings = judge(measured, demands);
  const isPassed = violations.total === 0 && findings.every(({ isMet }) => isMet);
  return { ...measured, demands: findings, isPassed };
}

/**
 * Tells before a long run what would be told after it.
 * @throws LanyardError `option-invalid`.
 */
export function checkDemands(demands: readonly Demand[]): void {
  const nothing = new Measurements({ startMs: 0, appliances: 0 });
  const named = { scenario: '', about: '', gear: '', eventHash: '', version: '', replay: '' };
  resultOf({
    run: { ...named, appliances: 0, seed: 0, seconds: 0, peakRssMb: 0 },
    snapshot: nothing.snapshot(),
    flashBytesPerYear: nothing.flashBytesPerYear(),
    violations: { total: 0, tolerated: 0, shown: [] },
    demands,
  });
}

/** The last line on standard output: its fields and their order are a promise. */
export function summaryLine(result: Result): string {
  const { scenario, gear, appliances, seed, eventHash, certified, violations, seconds, peakRssMb } = result;
  const counted = { scenario, gear, appliances, seed, eventHash, certified, violations: violations.total };
  return JSON.stringify({ ...counted, seconds, peakRssMb });
}

/** For machines; figures of which nothing was measured are absent. */
export function jsonReport(result: Result): string {
  return `${JSON.stringify(result, undefined, 2)}\n`;
}
