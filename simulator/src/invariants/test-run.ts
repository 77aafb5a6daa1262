/** A small world under watch, for tests that break a promise in it on purpose. */
import type { Crypto } from '../gears/virtual/crypto.ts';
import { stubCrypto } from '../gears/virtual/crypto.ts';
import { runVirtual } from '../gears/virtual/run-virtual.ts';
import { START_MS } from '../gears/virtual/virtual-world.ts';
import type { VirtualWorld, VirtualWorldPlan } from '../gears/virtual/virtual-world.ts';
import { scenarioSchema } from '../scenarios/scenario.ts';
import type { Scenario, ScenarioInput } from '../scenarios/scenario.ts';
import { virtualFacts } from './virtual-facts.ts';
import { Watch } from './watch.ts';
import type { WatchedViolations } from './watch.ts';

export interface WatchedRun extends Pick<VirtualWorldPlan, 'between'> {
  readonly for: string;
  readonly appliances?: number;
  readonly seed?: number;
  readonly scenario?: Partial<ScenarioInput>;
  readonly crypto?: (sound: Crypto) => Crypto;
  /** To which appliance the broker's message for another one goes. */
  readonly route?: (deviceId: string) => string;
  /** Called when the world is laid out and nothing has happened yet. */
  readonly meddle?: (world: VirtualWorld) => void;
}

export interface WatchedOutcome extends WatchedViolations {
  readonly eventHash: string;
}

export async function watchedRun(run: WatchedRun): Promise<WatchedOutcome> {
  const { for: length, appliances = 5, seed = 1, between, route, meddle } = run;
  const scenario = smallScenario({ for: length, ...run.scenario });
  const watch = new Watch({
    startMs: START_MS,
    replay: { scenario: scenario.name, appliances, seed },
    tolerated: scenario.expect.tolerate,
  });
  const { eventHash } = await runVirtual({
    scenario,
    appliances,
    seed,
    crypto: (run.crypto ?? ((sound) => sound))(stubCrypto()),
    ...(between && { between }),
    tap: { ...watch.tap, ...(route && { route }) },
    witnesses: (world) => {
      meddle?.(world);
      return [watch.begin(virtualFacts(world))];
    },
    onEnd: () => watch.finish(),
  });
  return { ...watch.violations(), eventHash };
}

export function smallScenario(wishes: Partial<ScenarioInput>): Scenario {
  return scenarioSchema.parse({ name: 'small', about: 'A small world under watch.', ...wishes });
}

/** Which invariants object, in the order of the alphabet. */
export function objectors({ byInvariant }: WatchedViolations): readonly string[] {
  return Object.keys(byInvariant).toSorted();
}

/** A port with other methods in places. */
export function altered<Port extends object>(port: Port, changes: Partial<Port>): Port {
  return new Proxy(port, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name);
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
