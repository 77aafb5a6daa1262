/** The domain put together: what every broker consists of, whatever stands behind its ports. */
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import type { DownMessage } from '@lanyard/sdk/protocol';
import { CertificateDesk } from './certificates/desk.ts';
import type { AuthorityTerms } from './certificates/budget/rate-limit.ts';
import { Issuance } from './certificates/issuance.ts';
import type { IssuanceParts } from './certificates/issuance.ts';
import { Reminders } from './certificates/reminders.ts';
import { Replacement } from './certificates/replacement.ts';
import { RenewalWatch } from './certificates/renewal/renewal-watch.ts';
import { CaGate } from './certificates/schedule/ca-gate.ts';
import type { ReadSigningRequest } from './certificates/signing-request.ts';
import type { BrokerConfig } from './config.ts';
import { Conversation } from './conversation.ts';
import type { AddressBoard } from './fleet/address-board.ts';
import type { ApplianceStore } from './fleet/appliance-store.ts';
import { Fleet } from './fleet/fleet.ts';
import { registeredDomains } from './registered-domain.ts';

export interface CoreParts extends Pick<IssuanceParts, 'authority' | 'readChain' | 'store'> {
  readonly board: IssuanceParts['board'] & AddressBoard;
  readonly appliances: ApplianceStore;
  readonly terms: AuthorityTerms;
  readonly publicSuffixes?: readonly string[];
  readonly readRequest: ReadSigningRequest;
  /** False: the appliance is not connected, and the message is forgotten. */
  readonly send: (deviceId: string, message: DownMessage) => boolean;
  /** Told after each certificate. */
  readonly onIssued?: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: Pick<BrokerConfig, 'addresses' | 'appliances' | 'issuance'> & { readonly zone: string };
}

export interface Core {
  readonly fleet: Fleet;
  readonly desk: CertificateDesk;
  readonly issuance: Issuance;
  readonly renewals: RenewalWatch;
  readonly replacement: Replacement;
  readonly reminders: Reminders;
  readonly conversation: Conversation;
}

/** Renewal information is a small answer without a signature: a fleet of 90,000 asks four times a second. */
const LOOKS_AT_ONCE = 8;

/** Nothing happens before `issuance`, `renewals` and `reminders` are started, in this order. */
export function createCore(parts: CoreParts): Core {
  const { authority, board, store, appliances, readRequest, send, clock, random, log, settings } = parts;
  const world = { clock, random, log };
  const issuance = issuanceOf(parts);
  const replacement = new Replacement({ store, authority, clock, log });
  const renewals = new RenewalWatch({ store, authority, ...world, settings: { concurrency: LOOKS_AT_ONCE } });
  const desk = new CertificateDesk({ store, issuance, readRequest, clock, log });
  const fleet = new Fleet({ store: appliances, board, ...world, settings });
  const reminders = new Reminders({ clock, remind: (deviceId) => void conversation.prompt(deviceId) });
  const conversation = new Conversation({ fleet, desk, reminders, send, ...world, settings: settings.appliances });
  issuance.onEvent({
    issued: (certificate) => {
      conversation.issued(certificate);
      renewals.wake();
      parts.onIssued?.();
    },
    failed: (order, againAtMs) => conversation.failed(order, againAtMs),
  });
  renewals.onMoved((certificate, renewAtMs) => conversation.renewalMoved(certificate, renewAtMs));
  return { fleet, desk, issuance, renewals, replacement, reminders, conversation };
}

function issuanceOf(parts: CoreParts): Issuance {
  const { terms, publicSuffixes, clock, random, log, settings } = parts;
  const { requests } = terms;
  const gate = new CaGate({ clock, random, log, ...(requests && { requests }) });
  const registeredDomainOf = registeredDomains(publicSuffixes);
  return new Issuance({ ...parts, gate, registeredDomainOf, settings: settings.issuance });
}
