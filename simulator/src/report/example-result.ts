/** A run that did not happen, for the tests of what shows it. */
import type { Demand } from './demands.ts';
import type { Fact } from './fact.ts';
import { Measurements } from './measurements.ts';
import { resultOf } from './result.ts';
import type { Result, RunFacts, Violation } from './result.ts';

const HOUR_MS = 3_600_000;

export interface ExamplePlan {
  readonly facts?: readonly Fact[];
  readonly run?: Partial<RunFacts>;
  readonly demands?: readonly Demand[];
  readonly violations?: readonly Violation[];
  readonly lengthMs?: number;
}

export function exampleRun(run: Partial<RunFacts> = {}): RunFacts {
  return {
    scenario: 'first-boot',
    about: 'Many appliances are switched on at once.',
    gear: 'virtual',
    appliances: 2,
    seed: 7,
    eventHash: 'c0ffee',
    seconds: 1.5,
    peakRssMb: 120,
    version: '0.1.0',
    replay: 'npx lanyard-simulator run first-boot --seed 7',
    ...run,
  };
}

export function exampleMeasurements({ facts = [], lengthMs = HOUR_MS, run }: ExamplePlan = {}): Measurements {
  const { appliances } = exampleRun(run);
  const measurements = new Measurements({ startMs: 0, lengthMs, appliances });
  for (const fact of facts) measurements.note(fact);
  return measurements;
}

export function exampleResult(plan: ExamplePlan = {}): Result {
  const { demands = [], violations = [] } = plan;
  const measurements = exampleMeasurements(plan);
  const tolerated = violations.filter((violation) => violation.tolerated !== undefined).length;
  return resultOf({
    run: exampleRun(plan.run),
    snapshot: measurements.snapshot(),
    flashBytesPerYear: measurements.flashBytesPerYear(),
    violations: { total: violations.length - tolerated, tolerated, shown: violations },
    demands,
  });
}

/** One appliance gets its certificate after four seconds. */
export const ONE_CERTIFIED: readonly Fact[] = [
  { atMs: 0, kind: 'powered', appliance: 0, isOn: true },
  { atMs: 1_000, kind: 'connected', appliance: 0 },
  { atMs: 1_000, kind: 'said', what: 'hello' },
  { atMs: 2_000, kind: 'authority', what: 'ordered', about: '' },
  { atMs: 4_000, kind: 'authority', what: 'certified', about: '' },
  { atMs: 4_000, kind: 'installed', appliance: 0, isFirst: true, waitedMs: 4_000 },
];
