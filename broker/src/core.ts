/** The domain put together: what every broker consists of, whatever stands behind its ports. */
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import type { DownMessage } from '@lanyard/sdk/protocol';
import { CertificateDesk } from './certificates/desk.ts';
import { Issuance } from './certificates/issuance.ts';
import type { IssuanceParts } from './certificates/issuance.ts';
import { Reminders } from './certificates/reminders.ts';
import type { ReadSigningRequest } from './certificates/signing-request.ts';
import type { BrokerConfig } from './config.ts';
import { Conversation } from './conversation.ts';
import type { AddressBoard } from './fleet/address-board.ts';
import type { ApplianceStore } from './fleet/appliance-store.ts';
import { Fleet } from './fleet/fleet.ts';

export interface CoreParts extends Pick<IssuanceParts, 'authority' | 'readChain' | 'store'> {
  readonly board: IssuanceParts['board'] & AddressBoard;
  readonly appliances: ApplianceStore;
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
  readonly reminders: Reminders;
  readonly conversation: Conversation;
}

/** Nothing happens before `issuance` and `reminders` are started, in this order. */
export function createCore(parts: CoreParts): Core {
  const { authority, board, store, appliances, readChain, readRequest, send, clock, random, log, settings } = parts;
  const world = { clock, random, log };
  const issuance = new Issuance({ authority, board, store, readChain, ...world, settings: settings.issuance });
  const desk = new CertificateDesk({ store, issuance, readRequest, clock, log });
  const fleet = new Fleet({ store: appliances, board, ...world, settings });
  const reminders = new Reminders({ clock, remind: (deviceId) => void conversation.prompt(deviceId) });
  const conversation = new Conversation({ fleet, desk, reminders, send, ...world, settings: settings.appliances });
  issuance.onEvent({
    issued: (certificate) => {
      conversation.issued(certificate);
      parts.onIssued?.();
    },
    failed: (order) => conversation.failed(order),
  });
  return { fleet, desk, issuance, reminders, conversation };
}
