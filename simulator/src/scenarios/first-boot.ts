/** A roll-out's first day: many appliances are switched on at once. How long until each has its certificate? */
import type { Clock } from '@lanyard/sdk/kernel';
import type { Storyteller } from '../report/storyteller.ts';
import { forEach, isPublished, untilAll, visitAll } from './crowd.ts';
import type { Town } from './town.ts';

export interface FirstBootResult {
  readonly appliances: number;
  readonly certified: number;
  readonly padlocks: number;
  /** From power-on to the certificate served, milliseconds: half, nineteen in twenty, all of the appliances. */
  readonly certifiedWithinMs: { readonly p50: number; readonly p95: number; readonly max: number };
  readonly certificatesPerSecond: number;
  /** Appliances that DHCP moved meanwhile, and whose names followed. */
  readonly moved: number;
}

export async function firstBoot(town: Town, story: Storyteller, clock: Clock): Promise<FirstBootResult> {
  const { appliances } = town;
  story.chapter('First boot');
  const startMs = clock.monotonicMs();
  const durations: number[] = [];
  let isAbandoned = false;
  const certified = untilAll(
    appliances,
    'certified',
    (appliance) => appliance.certificate() !== undefined,
    (count) => {
      durations.push(clock.monotonicMs() - startMs);
      if (!isAbandoned) story.progress('have their certificate', count, appliances.length);
    },
  ).catch((error: unknown) => {
    isAbandoned = true;
    story.tell(String(error));
  });
  await Promise.all([certified, forEach(appliances, (appliance) => appliance.powerOn())]);
  const tookMs = clock.monotonicMs() - startMs;
  const moved = await moveSome(town, story);
  const visits = await visitAll(town, (count) => story.progress('pages opened', count, appliances.length));
  const quantile = (share: number): number => Math.round(durations[Math.ceil(durations.length * share) - 1] ?? 0);
  return {
    appliances: appliances.length,
    certified: durations.length,
    padlocks: visits.filter(({ hasPadlock }) => hasPadlock).length,
    certifiedWithinMs: { p50: quantile(0.5), p95: quantile(0.95), max: quantile(1) },
    certificatesPerSecond: Math.round((durations.length / tookMs) * 10_000) / 10,
    moved,
  };
}

/** Every twentieth: about what a week of DHCP does to a fleet of homes. */
const MOVER_EVERY = 20;

async function moveSome({ appliances }: Town, story: Storyteller): Promise<number> {
  const movers = appliances.filter((_, index) => index % MOVER_EVERY === 0);
  for (const mover of movers) mover.move();
  let moved = 0;
  await untilAll(movers, 'published at its new address', isPublished, (count) => {
    moved = count;
    story.progress('moved, and their names followed', count, movers.length);
  });
  return moved;
}
