/** The domain put together: what every broker consists of, whatever stands behind its ports. */
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import type { DownMessage } from '@lanyard/sdk/protocol';
import { CertificateDesk } from './certificates/desk.ts';
import { Issuance } from './certificates/issuance.ts';
import type { IssuanceParts } from './certificates/issuance.ts';
import { Issuers } from './certificates/issuers.ts';
import { KeyRevocation } from './certificates/key-revocation.ts';
import type { CaAccount, Issuer } from './certificates/issuers.ts';
import { Reminders } from './certificates/reminders.ts';
import { Replacement } from './certificates/replacement.ts';
import { RenewalWatch } from './certificates/renewal/renewal-watch.ts';
import { StandIns } from './certificates/renewal/stand-ins.ts';
import { CaGate } from './certificates/schedule/ca-gate.ts';
import type { ReadSigningRequest } from './certificates/signing-request.ts';
import type { BrokerConfig } from './config.ts';
import { Conversation } from './conversation.ts';
import type { AddressBoard } from './fleet/address-board.ts';
import type { ApplianceStore } from './fleet/appliance-store.ts';
import { Fleet } from './fleet/fleet.ts';
import { registeredDomains } from './registered-domain.ts';

export interface CoreParts extends Pick<IssuanceParts, 'readChain' | 'store'> {
  /** In the order in which they take over from one another; not empty. */
  readonly authorities: readonly CaAccount[];
  /** Where an order that could not be verified has to pass first. */
  readonly rehearsal?: CaAccount;
  readonly board: IssuanceParts['board'];
  readonly addressBoard: AddressBoard;
  readonly appliances: ApplianceStore;
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
  readonly issuers: Issuers;
  /** One for each CA. */
  readonly renewals: readonly RenewalWatch[];
  readonly standIns: StandIns;
  readonly replacement: Replacement;
  readonly reminders: Reminders;
  readonly conversation: Conversation;
}

/** Renewal information is a small answer without a signature: a fleet of 90,000 asks four times a second. */
const LOOKS_AT_ONCE = 8;

/** Nothing happens before `issuance`, `renewals`, `standIns` and `reminders` are started, in this order. */
export function createCore(parts: CoreParts): Core {
  const { authorities, addressBoard, store, appliances, readRequest, send, clock, random, log, settings } = parts;
  const world = { clock, random, log };
  const issuers = issuersOf(parts);
  const registeredDomainOf = registeredDomains(parts.publicSuffixes);
  const issuance = new Issuance({ ...parts, issuers, registeredDomainOf, settings: settings.issuance });
  const keyRevocation = new KeyRevocation({ send, ...world });
  const replacement = new Replacement({ store, issuers, keyRevocation, clock, log });
  const renewals = authorities.map(
    (ca) => new RenewalWatch({ store, ...ca, ...world, settings: { concurrency: LOOKS_AT_ONCE } }),
  );
  const desk = new CertificateDesk({ store, issuance, readRequest, clock, log });
  const fleet = new Fleet({ store: appliances, board: addressBoard, ...world, settings });
  const namesOf = (deviceId: string): ReturnType<Fleet['namesOf']> => fleet.namesOf(deviceId);
  const standIns = new StandIns({ store, issuance, namesOf, clock, log, settings: settings.appliances });
  const reminders = new Reminders({ clock, remind: (deviceId) => void conversation.prompt(deviceId) });
  const talk = { fleet, desk, reminders, keyRevocation, send };
  const conversation = new Conversation({ ...talk, ...world, settings: settings.appliances });
  issuance.onEvent({
    issued: (certificate) => {
      conversation.issued(certificate);
      for (const watch of renewals) watch.wake();
      parts.onIssued?.();
    },
    failed: (order, againAtMs) => conversation.failed(order, againAtMs),
  });
  for (const watch of renewals) {
    watch.onMoved((certificate, renewAtMs) => conversation.renewalMoved(certificate, renewAtMs));
  }
  return { fleet, desk, issuance, issuers, renewals, standIns, replacement, reminders, conversation };
}

function issuersOf({ authorities, rehearsal, clock, random, log, settings }: CoreParts): Issuers {
  const issuerOf = ({ terms, authority }: CaAccount): Issuer => {
    const { id: ca, requests } = terms;
    const gate = new CaGate({ clock, random, log: log.child({ ca }), ...(requests && { requests }) });
    return { terms, authority, gate };
  };
  return new Issuers({
    ranked: authorities.map(issuerOf),
    ...(rehearsal && { rehearsal: issuerOf(rehearsal) }),
    patienceMs: settings.issuance.failoverAfterSeconds * 1_000,
  });
}
