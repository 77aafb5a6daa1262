/** A run in which much happens, for tests of what every run must keep: the same seed, the same events. */
import { scenarioSchema } from '../../scenarios/scenario.ts';
import type { ScenarioInput } from '../../scenarios/scenario.ts';
import type { Happening, Witness } from '../../world/happening.ts';
import type { CryptoMode } from './crypto.ts';
import { runVirtual } from './run-virtual.ts';
import type { VirtualOutcome } from './run-virtual.ts';
import type { VirtualWorld } from './virtual-world.ts';

export interface BusyRun {
  readonly crypto: CryptoMode;
  readonly appliances?: number;
  readonly days?: number;
  readonly seed?: number;
  readonly only?: number;
  readonly more?: Partial<ScenarioInput>;
}

export interface BusyOutcome extends VirtualOutcome {
  readonly world: VirtualWorld;
  readonly told: readonly Happening[];
}

const BUSY: ScenarioInput = {
  name: 'busy',
  about: 'Everything that shuffles the order of things.',
  population: { arrivals: { over: '1d' } },
  broker: { checkIn: '30d' },
  weather: { loss: 0.02, lineLife: '5d', halfOpen: 0.5 },
  events: [
    { do: 'broker-kill', at: '6h', every: '11d' },
    { do: 'power-cut', at: '2d', for: '6h', where: { share: 0.5 } },
    { do: 'move', at: '3d', every: '9d', where: { share: 0.4 } },
    { do: 'authority-outage', at: '60d', for: '12h' },
    { do: 'reboot', at: '61d', where: { share: 0.5 } },
  ],
};

export async function busyRun(run: BusyRun): Promise<BusyOutcome> {
  const { crypto, appliances = 30, days = 100, seed = 1, only, more = {} } = run;
  const told: Happening[] = [];
  const worlds: VirtualWorld[] = [];
  const outcome = await runVirtual({
    scenario: scenarioSchema.parse({ ...BUSY, for: `${days}d`, ...more }),
    appliances,
    seed,
    crypto,
    ...(only !== undefined && { only }),
    witnesses: (world): readonly Witness[] => {
      worlds.push(world);
      return [(happening) => told.push(happening)];
    },
  });
  const [world] = worlds;
  if (world === undefined) throw new Error('a run without a world');
  return { ...outcome, world, told };
}
