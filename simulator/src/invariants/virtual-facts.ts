/** The facts of a world on virtual time. */
import type { VirtualWorld } from '../gears/virtual/virtual-world.ts';
import type { CertificateOutline, Facts } from './facts.ts';

/** RFC 1035 §3.2.2. */
const A = 1;
const TXT = 16;

export function virtualFacts(world: VirtualWorld): Facts {
  const { boxes, vendor, authorities, clock, scenario } = world;
  const twins = new Set<number>();
  let known = 0;
  return {
    appliances: boxes.length,
    nowMs: () => clock.nowMs(),
    nameOf: (number) => world.nameOf({ number }),
    addressOf: (number) => boxes[number]?.address ?? '',
    isOn: (number) => boxes[number]?.isOn === true,
    inTouchSinceMs(number) {
      const reachableMs = boxes[number]?.reachableSinceMs;
      const upMs = vendor.upSinceMs;
      return reachableMs === undefined || upMs === undefined ? undefined : Math.max(reachableMs, upMs);
    },
    hasTwin(number) {
      for (; known < world.clones.length; known++) twins.add(world.clones[known]?.number ?? -1);
      return twins.has(number);
    },
    isLossy: () => world.weather.loss > 0,
    reconnectSpreadMs: scenario.broker.reconnectSpread,
    addressRecords: (name) => vendor.broker?.records(name, A).map((data) => data.join('.')),
    challengeRecords: (name) => vendor.broker?.records(`_acme-challenge.${name}`, TXT).length ?? 0,
    certificateOf: (number) => boxes[number]?.certificate,
    lastCertified: (ca): CertificateOutline | undefined => authorities.at(ca).lastCertified,
    ordersAtOnce: scenario.broker.concurrency,
    isAuthorityAway(ca) {
      const { isUnreachable, isFailing } = authorities.at(ca).model.controls.faults;
      return isUnreachable || isFailing;
    },
    renewalPollMs: (ca) => (scenario.failover[ca - 1] ?? scenario.authority).renewalInfo,
    certifiesRightly: (ca) => authorities.at(ca).model.controls.faults.certificate === 'none',
  };
}
