/** What many appliances do at once, with a bound on how many at a time. */
import type { VirtualAppliance } from '../fleet/virtual-appliance.ts';
import type { Visit } from '../world/visitor.ts';
import type { Town } from './town.ts';

/** A loaded machine with two cores certifies a thousand appliances in less. */
export const PATIENCE_MS = 120_000;

/** Starting this many Node TLS stacks at once keeps two cores busy without starving the broker beside them. */
const AT_ONCE = 32;

/** Runs `work` for every appliance, `AT_ONCE` at a time, in order. */
export async function forEach<R>(
  appliances: readonly VirtualAppliance[],
  work: (appliance: VirtualAppliance) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = appliances.entries();
  const worker = async (): Promise<void> => {
    for (const [index, appliance] of waiting) results[index] = await work(appliance);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, appliances.length) }, worker));
  return results;
}

/** Visitors in all the LANs open the pages. */
export function visitAll(town: Town, onVisit: (visits: number) => void): Promise<readonly Visit[]> {
  let visits = 0;
  return forEach(town.appliances, async (appliance) => {
    const seen = await town.visit(appliance);
    onVisit(++visits);
    return seen;
  });
}

/** Every appliance waits for what it lacks, all at once: waiting costs nothing. */
export async function untilAll(
  appliances: readonly VirtualAppliance[],
  what: string,
  isTrue: (appliance: VirtualAppliance) => boolean,
  onTrue: (count: number) => void,
): Promise<void> {
  let count = 0;
  await Promise.all(
    appliances.map(async (appliance) => {
      await appliance.until(what, isTrue, PATIENCE_MS);
      onTrue(++count);
    }),
  );
}

/** The broker says that the name points at where the appliance is now. */
export function isPublished(appliance: VirtualAppliance): boolean {
  return appliance.status()?.published.includes(appliance.address) === true;
}
