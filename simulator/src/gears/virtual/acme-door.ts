/** The model CA behind RFC 8555 as the broker sees it in a simulation: acme-client speaks, and the network takes its time. */
import { acmeOverDoor } from '@lanyard/broker/virtual';
import type { Authority } from '@lanyard/broker/virtual';
import { silentLogger } from '@lanyard/sdk/kernel';
import type { Runnable } from '@lanyard/sdk/kernel';
import type { ModelAuthority } from '../../world/authority/model-authority.ts';
import { roundTrip } from './round-trip.ts';
import type { RoundTripParts } from './round-trip.ts';

export interface AcmeDoorParts extends RoundTripParts {
  readonly model: Pick<ModelAuthority, 'handle' | 'directoryUrl'>;
  /** Where the requests come from. */
  readonly address: string;
  readonly accountKeyPem?: string;
  /** Asked with every order: a scenario may change it. */
  readonly profile: () => string | undefined;
}

export function acmeAuthority(parts: AcmeDoorParts): Authority & Runnable {
  const { model, clock, address, accountKeyPem, profile } = parts;
  const acme = acmeOverDoor({
    directoryUrl: model.directoryUrl,
    clock,
    log: silentLogger,
    ...(accountKeyPem !== undefined && { accountKeyPem }),
    door: ({ method, path, body }) => {
      const contentType = body === undefined ? undefined : 'application/jose+json';
      const request = { method, path, body: Buffer.from(body ?? ''), userAgent: 'lanyard (+acme-client)' };
      return roundTrip(parts, () => model.handle({ ...request, contentType, address }));
    },
  });
  return {
    start: () => acme.start(),
    stop: () => acme.stop(),
    newOrder: (wanted, signal) => {
      const chosen = profile();
      return acme.newOrder(chosen === undefined ? wanted : { ...wanted, profile: chosen }, signal);
    },
    order: (orderUrl, signal) => acme.order(orderUrl, signal),
    authorization: (authorizationUrl, signal) => acme.authorization(authorizationUrl, signal),
    trigger: (challengeUrl, signal) => acme.trigger(challengeUrl, signal),
    finalize: (finalizeUrl, csr, signal) => acme.finalize(finalizeUrl, csr, signal),
    certificate: (certificateUrl, signal) => acme.certificate(certificateUrl, signal),
    revoke: (chain, reason, signal) => acme.revoke(chain, reason, signal),
    revocationTicket: (signal) => acme.revocationTicket(signal),
    revokeByKey: (revocation, signal) => acme.revokeByKey(revocation, signal),
    renewalInfo: (renewalId, signal) => acme.renewalInfo(renewalId, signal),
  };
}
