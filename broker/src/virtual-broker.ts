/** Entry "@lanyard/broker/virtual": the broker's own code without threads and sockets, for simulations on virtual time. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable } from '@lanyard/sdk/kernel';
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import type { Authority } from './certificates/authority.ts';
import type { AuthorityTerms } from './certificates/budget/rate-limit.ts';
import type { CaAccount } from './certificates/issuers.ts';
import type { ReadIssuedChain } from './certificates/issued-chain.ts';
import type { ReadSigningRequest } from './certificates/signing-request.ts';
import type { BrokerConfig } from './config.ts';
import type { Conversation } from './conversation.ts';
import { createCore } from './core.ts';
import type { Core } from './core.ts';
import { OwnZones } from './dns/own-zones.ts';
import { respond } from './dns/respond.ts';
import type { ServedZone } from './dns/served-zone.ts';
import { defaultSoa } from './dns/zone-settings.ts';
import { buildZone } from './dns/zone-source.ts';
import { nameOf } from './fleet/appliance.ts';
import { Life } from './life.ts';
import { Inbox } from './mqtt/inbox.ts';
import { DEFAULT_SETTINGS } from './mqtt/settings.ts';
import { readIssuedChain } from './pki/issued-chain.ts';
import { readSigningRequest } from './pki/signing-request.ts';
import type { InlineStore } from './store/inline-store.ts';

export { acmeOverDoor } from './acme/acme-over-door.ts';
export type { AcmeDoor, AcmeDoorAnswer, AcmeDoorRequest, AcmeOverDoorOptions } from './acme/acme-over-door.ts';
export { problemError } from './acme/problems.ts';
export type { Refusal } from './acme/problems.ts';
export { replacementError } from './acme/replacement-refusal.ts';
export type { Authority, AuthorityOrder, Authorization, NewOrder, RenewalInfo } from './certificates/authority.ts';
export type { AuthorityTerms } from './certificates/budget/rate-limit.ts';
export type { CaAccount } from './certificates/issuers.ts';
export type { ChallengeBoard } from './certificates/challenge-board.ts';
export type { IssuedChain, ReadIssuedChain } from './certificates/issued-chain.ts';
export type { OrderStore } from './certificates/order-store.ts';
export type { Acceptance } from './certificates/request.ts';
export { REVOCATION_CODES } from './acme/revocation-code.ts';
export type { RevocationReason } from './certificates/stored-certificate.ts';
export type { ReadSigningRequest, SigningRequest } from './certificates/signing-request.ts';
export type { AddressBoard } from './fleet/address-board.ts';
export type { ApplianceStore } from './fleet/appliance-store.ts';
export type { Admission, Caller } from './mqtt/conversation.ts';
export { readIssuedChain } from './pki/issued-chain.ts';
export { openInlineStore } from './store/inline-store.ts';
export type { InlineStore } from './store/inline-store.ts';

export interface VirtualBrokerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Outlives the broker, as a disk does. */
  readonly store: InlineStore;
  readonly zone: string;
  readonly settings: Pick<BrokerConfig, 'addresses' | 'appliances' | 'issuance'>;
  readonly authority: Authority & Partial<Runnable>;
  /** What it allows. */
  readonly terms: AuthorityTerms;
  /** CAs that take over, in this order. */
  readonly failover?: readonly (CaAccount & { readonly authority: Authority & Partial<Runnable> })[];
  /** How requests and chains are read; X.509 when left out. */
  readonly readRequest?: ReadSigningRequest;
  readonly readChain?: ReadIssuedChain;
  /** Takes a message to the appliance's line; false when it is down. */
  readonly send: (deviceId: string, message: DownMessage) => boolean;
  /** Puts something between the domain and its ports: to watch them, or to break a promise on purpose. */
  readonly between?: (ports: VirtualPorts) => VirtualPorts;
}

/** What the domain holds on to. */
export interface VirtualPorts extends Pick<InlineStore, 'orders' | 'appliances'> {
  /** The first; what stands in for it is seen by itself. */
  readonly authority: Authority;
  readonly board: Pick<OwnZones, 'put' | 'clear' | 'list' | 'publish'>;
  readonly send: (deviceId: string, message: DownMessage) => boolean;
}

export class VirtualBroker implements Runnable {
  readonly #options: VirtualBrokerOptions;
  readonly #life: Life;
  readonly #zones: OwnZones;
  readonly #served: ServedZone[] = [];
  readonly #core: Core;
  readonly #inbox: Inbox;

  constructor(options: VirtualBrokerOptions) {
    const { random, log, settings, zone, terms, failover = [] } = options;
    const { readRequest = readSigningRequest, readChain = readIssuedChain } = options;
    this.#options = options;
    const life = new Life(options.clock);
    this.#life = life;
    const { clock } = life;
    this.#zones = this.#openZones();
    const ports = this.#ports();
    const others = failover.map((ca) => ({ ...ca, authority: life.bind(ca.authority) }));
    this.#core = createCore({
      ...ports,
      addressBoard: ports.board,
      authorities: [{ terms, authority: ports.authority }, ...others],
      store: ports.orders,
      readRequest,
      readChain,
      clock,
      random,
      log,
      settings: { ...settings, zone },
    });
    this.#inbox = new Inbox({
      conversation: this.#core.conversation,
      reply: (deviceId, message) => void ports.send(deviceId, message),
      limits: DEFAULT_SETTINGS,
      clock,
      random,
      log,
    });
  }

  async start(): Promise<void> {
    await this.#zones.start();
    const { authority, failover = [] } = this.#options;
    await authority.start?.();
    for (const other of failover) await other.authority.start?.();
    await this.#core.issuance.start();
    for (const watch of this.#core.renewals) await watch.start();
    await this.#core.standIns.start();
    await this.#core.reminders.start();
  }

  /** Orderly: what is under way is abandoned and resumed at the next start. */
  async stop(): Promise<void> {
    await this.#core.reminders.stop();
    await this.#core.standIns.stop();
    for (const watch of this.#core.renewals) await watch.stop();
    await this.#core.issuance.stop();
    await this.#zones.stop();
    this.kill();
  }

  /** At once, in the middle of whatever is under way: nothing that is asked for will be known, nothing more will happen. */
  kill(): void {
    this.#life.end();
  }

  admit(caller: Parameters<Conversation['admit']>[0]): ReturnType<Conversation['admit']> {
    return this.#core.conversation.admit(caller);
  }

  /** A payload that the appliance published on its own topic of `kind`. */
  accept(deviceId: string, kind: UpKind, payload: Uint8Array): void {
    if (!this.#life.isOver) this.#inbox.accept(deviceId, kind, payload);
  }

  gone(deviceId: string): void {
    if (!this.#life.isOver) this.#inbox.afterwards(deviceId, () => this.#core.conversation.gone(deviceId));
  }

  /** @returns the name that the appliance was given. */
  async enrol(deviceId: string, identityKeyHash: string): Promise<string> {
    return nameOf(await this.#core.fleet.enrol(deviceId, identityKeyHash));
  }

  /** Asks the appliance for a new certificate as soon as it is there. */
  async renew(deviceId: string): Promise<void> {
    await this.#core.desk.renewNow(deviceId);
    await this.#core.conversation.prompt(deviceId);
  }

  /** What the name server answers to a query; also after the broker's death, as a thread of its own would. */
  answer(query: Buffer): Buffer | undefined {
    return respond(query, 'tcp', this.#served);
  }

  /** The data of one set of records as it stands on the wire, without the detour over packets. */
  records(name: string, type: number): readonly Uint8Array[] {
    const zone = this.#served.find(({ nodes }) => nodes.has(name));
    const set = zone?.nodes.get(name)?.sets.find((candidate) => candidate.type === type);
    return set?.kind === 'data' ? set.data.map((octets) => Buffer.from(octets, 'latin1')) : [];
  }

  #openZones(): OwnZones {
    const { store, zone: apex, log } = this.#options;
    const nameServer = `ns1.${apex}`;
    return new OwnZones({
      journal: this.#life.bind(store.zones),
      thread: {
        serve: async (sources) => {
          this.#served.splice(0, Infinity, ...(await Promise.all(sources.map((source) => buildZone(source, misfit)))));
        },
        apply: async (change) => this.#served.find(({ apex: served }) => served === change.apex)?.apply(change),
      },
      zones: [
        {
          apex,
          nameServers: [{ name: nameServer, addresses: ['127.0.0.1'] }],
          soa: defaultSoa(nameServer, `hm.${apex}`),
        },
      ],
      clock: this.#life.clock,
      log,
    });
  }

  #ports(): VirtualPorts {
    const { store, authority, send, between = (ports: VirtualPorts) => ports } = this.#options;
    const life = this.#life;
    const ports = between({
      authority,
      board: this.#zones,
      orders: store.orders,
      appliances: store.appliances,
      send,
    });
    return {
      authority: life.bind(ports.authority),
      board: life.bind(ports.board),
      orders: life.bind(ports.orders),
      appliances: life.bind(ports.appliances),
      send: (deviceId, message) => !life.isOver && ports.send(deviceId, message),
    };
  }
}

function misfit(): never {
  throw new LanyardError('internal', { message: 'the journal holds a record that does not fit its zone' });
}
