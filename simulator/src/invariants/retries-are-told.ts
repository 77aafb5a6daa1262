/** P8: whoever is told that something failed and can be tried again is told when. */
import type { Invariant, InvariantParts } from './invariant.ts';

export function retriesAreTold({ violate }: Pick<InvariantParts, 'violate'>): Invariant {
  return {
    name: 'retries-are-told',
    guards: 'P8',
    onDown({ atMs, appliance, message }) {
      if (message.kind !== 'problem') return;
      const { code, retryable, retryAfterSeconds } = message.problem;
      if (!retryable || retryAfterSeconds !== undefined) return;
      violate({ atMs, appliance, what: `it was told ${code}, but not when to try again` });
    },
  };
}
