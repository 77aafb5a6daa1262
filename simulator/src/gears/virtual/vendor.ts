/** The vendor's side on virtual time: a broker that lives, dies and comes back on the same disk, and the lines to it. */
import { VirtualBroker } from '@lanyard/broker/virtual';
import type {
  AuthorityTerms,
  Authority,
  InlineStore,
  ReadIssuedChain,
  ReadSigningRequest,
  VirtualBrokerOptions,
  VirtualPorts,
} from '@lanyard/broker/virtual';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import type { Witness } from '../../world/happening.ts';
import type { Box, Network } from './box.ts';

export interface VendorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: InlineStore;
  readonly zone: string;
  readonly settings: VirtualBrokerOptions['settings'];
  readonly authority: Authority;
  readonly terms: AuthorityTerms;
  /** CAs that take over, in this order. */
  readonly failover: NonNullable<VirtualBrokerOptions['failover']>;
  readonly readRequest?: ReadSigningRequest;
  readonly readChain?: ReadIssuedChain;
  /** Between the domain and its ports; the last is the nearest to the domain. */
  readonly between: readonly ((ports: VirtualPorts) => VirtualPorts)[];
  /** Sees every payload and message on its way, and may change where it goes. */
  readonly tap: WireTap;
  /** Why no network leads from the box to the broker; undefined while one does. */
  readonly obstacle: (box: Box) => LanyardError | undefined;
  readonly tell: Witness;
}

/** Looks at what crosses between appliances and broker. */
export interface WireTap {
  up(box: Box, kind: UpKind, payload: Uint8Array): void;
  down(box: Box, deviceId: string, message: DownMessage): void;
  /** To which appliance the broker's message for `deviceId` goes. */
  route(deviceId: string): string;
}

export class Vendor implements Network {
  readonly #parts: VendorParts;
  /** Which box holds the line of which identity: MQTT has one for each client id. */
  readonly #sessions = new Map<string, Box>();
  #broker: VirtualBroker | undefined;
  /** Since when it has been up without a break. */
  upSinceMs: number | undefined;

  constructor(parts: VendorParts) {
    this.#parts = parts;
  }

  get broker(): VirtualBroker | undefined {
    return this.#broker;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  async start(): Promise<void> {
    // Events that stop it may overlap: two brokers on one disk would order everything twice.
    if (this.#broker !== undefined) return;
    const { clock, random, store, zone, settings, authority, terms, failover } = this.#parts;
    const { readRequest, readChain, between, tell } = this.#parts;
    const broker = new VirtualBroker({
      clock,
      random,
      log: silentLogger,
      store,
      zone,
      settings,
      authority,
      terms,
      failover,
      ...(readRequest && { readRequest }),
      ...(readChain && { readChain }),
      send: (deviceId, message) => this.#send(deviceId, message),
      between: (ports) => between.reduce((wrapped, wrap) => wrap(wrapped), ports),
    });
    this.#broker = broker;
    await broker.start();
    this.upSinceMs = clock.nowMs();
    tell({ atMs: clock.nowMs(), kind: 'broker', what: 'started' });
  }

  /** Orderly, as for an update. */
  async stop(): Promise<void> {
    const broker = this.#broker;
    this.#down('stopped');
    await broker?.stop();
  }

  /** In the middle of whatever it does. */
  kill(): void {
    this.#broker?.kill();
    this.#down('killed');
  }

  obstacle(box: Box): LanyardError | undefined {
    return this.#parts.obstacle(box);
  }

  async admit(box: Box): Promise<LanyardError | undefined> {
    const broker = this.#broker;
    if (broker === undefined) return new LanyardError('broker-unreachable', { message: 'connection refused' });
    const sourceAddress = box.lan.site.publicAddress;
    const admission = await broker.admit({
      deviceId: box.deviceId,
      identityKeyHash: identityOf(box.deviceId),
      sourceAddress,
    });
    if (this.#broker !== broker) return new LanyardError('broker-unreachable', { message: 'connection reset' });
    switch (admission.kind) {
      case 'welcome':
        return undefined;
      case 'refused':
        return new LanyardError('broker-refused', { details: { returnCode: 5 } });
      case 'overloaded':
        return new LanyardError('broker-refused', { details: { returnCode: 3 } });
    }
  }

  lineUp(box: Box): void {
    const former = this.#sessions.get(box.deviceId);
    this.#sessions.set(box.deviceId, box);
    // MQTT 3.1.1 §3.1.4: whoever comes with a client id that is connected already takes its place.
    if (former !== undefined && former !== box) {
      former.hangUp(new LanyardError('broker-unreachable', { message: 'another took its place' }));
    }
  }

  lineDown(box: Box): void {
    if (this.#sessions.get(box.deviceId) !== box) return;
    this.#sessions.delete(box.deviceId);
    this.#broker?.gone(box.deviceId);
  }

  carry(box: Box, kind: UpKind, payload: Uint8Array): void {
    const { clock, tap, tell } = this.#parts;
    tap.up(box, kind, payload);
    // What a bye says is worth hearing after the line is gone; anything else is from a line that was replaced.
    const isStale = kind !== 'bye' && this.#sessions.get(box.deviceId) !== box;
    if (this.#broker === undefined || isStale) return;
    tell({ atMs: clock.nowMs(), kind: 'said', appliance: box.number, what: kind });
    this.#broker.accept(box.deviceId, kind, payload);
  }

  /** The identity certificate's key as far as the broker remembers it. */
  async enrol(deviceId: string): Promise<string> {
    if (this.#broker === undefined) throw new LanyardError('stopped', { message: 'the broker is down' });
    return await this.#broker.enrol(deviceId, identityOf(deviceId));
  }

  #send(deviceId: string, message: DownMessage): boolean {
    const { tap } = this.#parts;
    const box = this.#sessions.get(tap.route(deviceId));
    if (box === undefined) return false;
    tap.down(box, deviceId, message);
    return box.say(message);
  }

  #down(what: 'stopped' | 'killed'): void {
    const { clock, tell } = this.#parts;
    if (this.#broker === undefined) return;
    this.#broker = undefined;
    this.upSinceMs = undefined;
    tell({ atMs: clock.nowMs(), kind: 'broker', what });
    const connected = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const box of connected) box.hangUp(new LanyardError('broker-unreachable', { message: 'connection reset' }));
  }
}

/** Stands for the hash of the identity key; nobody but its owner can be taken for it. */
function identityOf(deviceId: string): string {
  return Buffer.from(deviceId).toString('hex').padEnd(64, '0').slice(0, 64);
}
