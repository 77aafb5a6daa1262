/** Plays a scenario on virtual time, as fast as the machine can, the same way for the same seed. */
import { describeError } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import type { Scenario } from '../../scenarios/scenario.ts';
import type { Witness } from '../../world/happening.ts';
import { EventHash } from '../event-hash.ts';
import { arrivalMs } from './population.ts';
import { startTimetable } from './timetable.ts';
import { START_MS, VirtualWorld } from './virtual-world.ts';
import type { VirtualWorldPlan } from './virtual-world.ts';

export interface VirtualRun extends Pick<VirtualWorldPlan, 'crypto' | 'tap' | 'between' | 'database'> {
  readonly scenario: Scenario;
  readonly appliances: number;
  readonly seed: number;
  /** How long, instead of what the scenario says. */
  readonly lengthMs?: number;
  /** Only this appliance is ever switched on: a failure that it shows alone is easier to understand. */
  readonly only?: number;
  /** Told of everything; made for the world once that is laid out. */
  readonly witnesses: (world: VirtualWorld) => readonly Witness[];
  /** Called now and then while virtual time goes on; the run ends when it says so. */
  readonly onProgress?: (world: VirtualWorld) => 'go-on' | 'stop';
  /** Called when the time is over and the world still stands. */
  readonly onEnd?: () => void;
}

export interface VirtualOutcome {
  readonly eventHash: string;
  readonly happenings: number;
  readonly simulatedMs: number;
}

/** So often a person can look, and a violation ends the run. */
const STEPS = 400;

export async function runVirtual(run: VirtualRun): Promise<VirtualOutcome> {
  const { scenario, lengthMs = scenario.for } = run;
  const hash = new EventHash();
  const witnesses: Witness[] = [(happening) => hash.add(happening)];
  const world = new VirtualWorld({ ...run, witnesses });
  witnesses.push(...run.witnesses(world));
  try {
    await world.open();
    arrive(world, run);
    startTimetable(world, run.seed);
    const stepMs = Math.ceil(lengthMs / STEPS);
    for (let doneMs = 0; doneMs < lengthMs; doneMs += stepMs) {
      await world.clock.advance(Math.min(stepMs, lengthMs - doneMs));
      if (run.onProgress?.(world) === 'stop') break;
    }
    run.onEnd?.();
    const simulatedMs = world.clock.monotonicMs();
    return { eventHash: hash.digest(), happenings: hash.count, simulatedMs };
  } finally {
    await world.close();
  }
}

function arrive(world: VirtualWorld, { scenario, seed, only }: VirtualRun): void {
  const { clock, boxes } = world;
  const random = seededRandom(seed + 3);
  for (const box of boxes) {
    const delayMs = arrivalMs(scenario.population.arrivals, random, START_MS);
    if (only !== undefined && only !== box.number) continue;
    clock.setTimer(delayMs, () => void box.powerOn('first boot').catch(report(box.deviceId)));
  }
}

/** What throws here is a fault of the simulation, or of the SDK: nothing that may pass in silence. */
function report(deviceId: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`${deviceId} could not be switched on: ${describeError(error)}`, { cause: error });
  };
}
