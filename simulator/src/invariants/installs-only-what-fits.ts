/** P3: what an appliance serves was certified for its own name and for the key it asked for last, and has not ended. */
import type { Happening } from '../world/happening.ts';
import type { Invariant, InvariantParts } from './invariant.ts';
import { keyNumber } from './key-number.ts';

export function installsOnlyWhatFits({ facts, violate }: InvariantParts): Invariant {
  const orderedKey = new Float64Array(facts.appliances);
  const certifiedKey = new Float64Array(facts.appliances);
  /** By its end the certificate is known again when it is installed. */
  const certifiedUntilMs = new Float64Array(facts.appliances);

  function faultOf({ atMs, appliance }: Extract<Happening, { kind: 'installed' }>): string | undefined {
    const installed = facts.certificateOf(appliance);
    const own = facts.nameOf(appliance);
    if (installed === undefined) return 'installed nothing';
    const { names, notAfterMs } = installed;
    if (names.length !== 1 || names[0] !== own) return `${own} installed a certificate for ${names.join(', ')}`;
    if (notAfterMs <= atMs) return `installed a certificate that ended on ${new Date(notAfterMs).toISOString()}`;
    if (notAfterMs !== certifiedUntilMs[appliance])
      return 'installed a certificate that is not the last of the CA for it';
    const isOwnKey = certifiedKey[appliance] === orderedKey[appliance];
    return isOwnKey ? undefined : 'installed a certificate for a key that is not the last it asked for';
  }

  return {
    name: 'installs-only-what-fits',
    guards: 'P3',
    kinds: ['order-opened', 'authority', 'installed'],
    onHappening(happening) {
      if (happening.kind === 'order-opened') orderedKey[happening.appliance] = keyNumber(happening.keyHash);
      if (happening.kind === 'authority' && happening.what === 'certified' && happening.appliance !== undefined) {
        certifiedKey[happening.appliance] = keyNumber(happening.about);
        certifiedUntilMs[happening.appliance] = facts.lastCertified(happening.ca ?? 0)?.notAfterMs ?? 0;
      }
      if (happening.kind !== 'installed') return;
      const { atMs, appliance } = happening;
      const fault = faultOf(happening);
      // Two boxes with one identity take turns in asking: each installs its own, and neither is the last.
      if (fault !== undefined && !facts.hasTwin(appliance)) violate({ atMs, appliance, what: fault });
    },
  };
}
