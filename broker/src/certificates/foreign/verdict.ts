/** Whether a certificate that somebody saw is one of ours, none of our business, or one that we did not ask for. */
import type { ObservedCertificate } from './observed-certificate.ts';

export type Verdict =
  /** Its key came in a request of the appliance that its names belong to. */
  | 'own'
  /** It is for no name of ours. */
  | 'irrelevant'
  | 'foreign';

export interface Holdings {
  readonly zones: readonly string[];
  /** Names of the appliance that first sent the key; empty when none did. */
  readonly namesOfKey: readonly string[];
}

/**
 * The key decides. Serial number, issuer and fingerprint are the choice of whoever signs, and a precertificate has
 * another fingerprint; and of an order that was given up while the CA still worked at it no serial number is known. A
 * certificate with the key of an appliance is of use to that appliance alone, as long as it is for no other name.
 */
export function judge({ names }: Pick<ObservedCertificate, 'names'>, { zones, namesOfKey }: Holdings): Verdict {
  if (namesUnder(zones, names).length === 0) return 'irrelevant';
  return namesUnder(namesOfKey.map(baseOf), names).length === names.length ? 'own' : 'foreign';
}

/** Those of `names` that are one of `tops` or below it; the wildcard of a top is below it. */
export function namesUnder(tops: readonly string[], names: readonly string[]): readonly string[] {
  return names.filter((name) => tops.some((top) => name === top || name.endsWith(`.${top}`)));
}

/** A label is bound to its appliance for ever, and with it all that is below. */
function baseOf(name: string): string {
  return name.startsWith('*.') ? name.slice(2) : name;
}
