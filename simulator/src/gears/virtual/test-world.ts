/** A small world with stub cryptography, for tests of its parts: it moves as far as the test says, and tells everything. */
import { scenarioSchema } from '../../scenarios/scenario.ts';
import type { ScenarioInput } from '../../scenarios/scenario.ts';
import type { Happening, HappeningKind } from '../../world/happening.ts';
import { VirtualWorld } from './virtual-world.ts';
import type { VirtualWorldPlan } from './virtual-world.ts';

export interface TestWorldWish extends Omit<Partial<VirtualWorldPlan>, 'scenario' | 'witnesses'> {
  readonly scenario?: Partial<ScenarioInput>;
}

export interface TestWorld {
  readonly world: VirtualWorld;
  readonly told: Happening[];
  /** Facts of one kind, in their order. */
  readonly all: <K extends HappeningKind>(kind: K) => readonly Extract<Happening, { kind: K }>[];
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Quiet weather, homes only, two appliances. */
export function worldPlan({ scenario, ...wish }: TestWorldWish = {}): VirtualWorldPlan {
  return {
    appliances: 2,
    seed: 1,
    crypto: 'stub',
    witnesses: [],
    ...wish,
    scenario: scenarioSchema.parse({
      name: 'small',
      about: 'A small world.',
      population: { sites: { office: 0, cgnat: 0, doubleNat: 0, strictFirewall: 0 }, quirks: { boots1970: 0 } },
      ...scenario,
    }),
  };
}

/** Everything is enrolled, the broker is up, and no box is switched on. */
export async function openWorld(wish: TestWorldWish = {}): Promise<TestWorld> {
  const told: Happening[] = [];
  const world = new VirtualWorld({ ...worldPlan(wish), witnesses: [(happening) => told.push(happening)] });
  await world.open();
  return { world, told, all: (kind) => told.filter(isOf(kind)) };
}

/** The same, a quarter of an hour after everybody was switched on: all are certified. */
export async function settledWorld(wish: TestWorldWish = {}): Promise<TestWorld> {
  const opened = await openWorld(wish);
  const { world } = opened;
  for (const box of world.boxes) void box.powerOn('first boot');
  await world.clock.advance(15 * MINUTE_MS);
  const waiting = world.boxes.filter(({ certificate }) => certificate === undefined);
  if (waiting.length > 0) throw new Error(`${waiting.length} boxes got no certificate`);
  return opened;
}

function isOf<K extends HappeningKind>(kind: K) {
  return (happening: Happening): happening is Extract<Happening, { kind: K }> => happening.kind === kind;
}
