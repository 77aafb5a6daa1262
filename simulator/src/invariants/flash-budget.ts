/** P3 at its price: what safe keeping writes must not wear out the flash of a cheap appliance. */
import type { Invariant, InvariantParts } from './invariant.ts';

const YEAR_MS = 365 * 86_400_000;

/**
 * Two megabytes in a year. The smallest configuration partitions have some 256 kB of NOR flash that stands 10,000 erasures
 * at the least: 2.5 GB, of which file systems that replace files whole use up to ten times what they are given.
 * That is a hundred years; certificates of 90 days take 41 kB in a year, those of 6 days 0.7 MB (both measured).
 */
const MOST_BYTES_A_YEAR = 2_000_000;

export function flashBudget({ facts, violate }: InvariantParts): Invariant {
  const yearOf = new Int16Array(facts.appliances).fill(-1);
  const bytes = new Float64Array(facts.appliances);
  let firstMs: number | undefined;
  return {
    name: 'flash-budget',
    guards: 'P3',
    kinds: ['flash-written'],
    onHappening(happening) {
      if (happening.kind !== 'flash-written') return;
      const { atMs, appliance } = happening;
      firstMs ??= atMs;
      const year = Math.floor((atMs - firstMs) / YEAR_MS);
      const before = yearOf[appliance] === year ? (bytes[appliance] ?? 0) : 0;
      const after = before + happening.bytes;
      yearOf[appliance] = year;
      bytes[appliance] = after;
      if (before > MOST_BYTES_A_YEAR || after <= MOST_BYTES_A_YEAR || facts.hasTwin(appliance)) return;
      violate({ atMs, appliance, what: `${after} bytes were written to its flash in year ${year + 1} of the run` });
    },
  };
}
