/** Cuts a byte stream into whole MQTT packets and refuses what an appliance never sends, before anything is parsed. */
import type { Clock } from '@lanyard/sdk/kernel';
import { LIMITS } from '@lanyard/sdk/protocol';
import { PacketRate } from './packet-rate.ts';
import type { Rate } from './settings.ts';

export type Frame =
  | { readonly kind: 'packet'; readonly bytes: Buffer }
  /** All that was pushed is used up. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'violation'; readonly reason: Violation };

export type Violation =
  | 'not-connect-first'
  | 'connect-twice'
  | 'malformed-length'
  | 'too-large'
  | 'not-for-a-server'
  | 'wrong-flags'
  | 'qos-2'
  | 'too-fast';

/** Two identifiers of 64 characters and a password with a signed token; real ones have about 150 bytes. */
export const MAX_CONNECT_BYTES = 4 * 1024;

/** The largest body, and 1 KiB for fixed header, topic (94 characters at most) and packet identifier. */
export const MAX_PUBLISH_BYTES = LIMITS.bodyBytes + 1024;

/** Three subscriptions to topics of 94 characters take 300 bytes. */
const MAX_OTHER_BYTES = 1024;

const NOTHING = Buffer.alloc(0);

const CONNECT = 1;
const PUBLISH = 3;

/** MQTT 3.1.1 § 2.2.2: what the low four bits of the first byte must be. QoS 2 (5 to 7) is not spoken here. */
const FLAGS_OF: Partial<Record<number, number>> = {
  [CONNECT]: 0,
  4: 0, // PUBACK
  8: 2, // SUBSCRIBE
  10: 2, // UNSUBSCRIBE
  12: 0, // PINGREQ
  14: 0, // DISCONNECT
};

export interface FrameGuardParts {
  readonly publishRate: Rate;
  readonly packetRate: Rate;
  readonly clock: Clock;
}

export class FrameGuard {
  readonly #publishes: PacketRate;
  readonly #packets: PacketRate;
  #chunk: Buffer = NOTHING;
  #offset = 0;
  /** Fixed header of the packet that is being read, as far as it has arrived. */
  #header: number[] = [];
  /** The packet that is being read, once its length is known. Allocated at once: dribbled bytes cost nothing extra. */
  #packet: Buffer | undefined;
  #filled = 0;
  #isConnected = false;
  #violation: Frame | undefined;

  constructor({ publishRate, packetRate, clock }: FrameGuardParts) {
    this.#publishes = new PacketRate(publishRate, clock);
    this.#packets = new PacketRate(packetRate, clock);
  }

  /** What is kept at most: the chunk that was pushed and one packet. */
  get bufferedBytes(): number {
    return this.#chunk.length - this.#offset + (this.#packet?.length ?? 0) + this.#header.length;
  }

  /** Takes the next bytes; only to be called when `next` has asked to wait. */
  push(chunk: Buffer): void {
    const left = this.#chunk.subarray(this.#offset);
    this.#chunk = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    this.#offset = 0;
  }

  /** The next whole packet. After a violation there is nothing else. */
  next(): Frame {
    if (this.#violation) return this.#violation;
    if (this.#packet === undefined) {
      const reason = this.#readHeader();
      if (reason) return this.#refuse(reason);
    }
    if (this.#packet === undefined) return this.#wait();
    const copied = this.#chunk.copy(this.#packet, this.#filled, this.#offset);
    this.#filled += copied;
    this.#offset += copied;
    if (this.#filled < this.#packet.length) return this.#wait();
    const bytes = this.#packet;
    this.#packet = undefined;
    return { kind: 'packet', bytes };
  }

  /** MQTT 3.1.1 § 2.2.3: type and flags, then a length of one to four bytes. */
  #readHeader(): Violation | undefined {
    while (this.#offset < this.#chunk.length) {
      const byte = this.#chunk.readUInt8(this.#offset++);
      this.#header.push(byte);
      if (this.#header.length === 1) {
        const reason = this.#typeRefusal(byte >> 4, byte & 0x0f);
        if (reason) return reason;
      } else if (byte < 0x80) {
        return this.#openPacket();
      } else if (this.#header.length === 5) {
        return 'malformed-length';
      }
    }
    return undefined;
  }

  #typeRefusal(type: number, flags: number): Violation | undefined {
    if (!this.#isConnected && type !== CONNECT) return 'not-connect-first';
    if (this.#isConnected && type === CONNECT) return 'connect-twice';
    if (type === PUBLISH) return (flags & 0b0100) !== 0 ? 'qos-2' : undefined;
    const expected = FLAGS_OF[type];
    if (expected === undefined) return type >= 5 && type <= 7 ? 'qos-2' : 'not-for-a-server';
    return flags === expected ? undefined : 'wrong-flags';
  }

  #openPacket(): Violation | undefined {
    const [first = 0, ...length] = this.#header;
    // A length with needless zero groups is legal nowhere and read differently by different parsers.
    if (length.length > 1 && length.at(-1) === 0) return 'malformed-length';
    const body = length.reduce((sum, byte, index) => sum + (byte & 0x7f) * 128 ** index, 0);
    const total = this.#header.length + body;
    const type = first >> 4;
    if (total > largest(type)) return 'too-large';
    if (!this.#packets.take() || (type === PUBLISH && !this.#publishes.take())) return 'too-fast';
    this.#isConnected = true;
    this.#packet = Buffer.alloc(total);
    this.#packet.set(this.#header);
    this.#filled = this.#header.length;
    this.#header = [];
    return undefined;
  }

  #wait(): Frame {
    // The used-up chunk of up to 64 KiB must not be held by an idle connection.
    this.#chunk = NOTHING;
    this.#offset = 0;
    return { kind: 'wait' };
  }

  #refuse(reason: Violation): Frame {
    this.#violation = { kind: 'violation', reason };
    this.#wait();
    this.#header = [];
    return this.#violation;
  }
}

function largest(type: number): number {
  switch (type) {
    case CONNECT:
      return MAX_CONNECT_BYTES;
    case PUBLISH:
      return MAX_PUBLISH_BYTES;
    default:
      return MAX_OTHER_BYTES;
  }
}
