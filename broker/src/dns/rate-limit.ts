/** How many answers one network gets over UDP, after NSD's model: where a sender is forged, its owner is the victim. */
import type { Clock } from '@lanyard/sdk/kernel';
import { NetworkList } from './network-list.ts';
import { SOURCE, readSource } from './source-address.ts';

export interface RateLimitSettings {
  /** Answers with records that one network gets a second, for each zone. 0: no limit at all. */
  readonly perSecond: number;
  /** The same for negative answers and errors. */
  readonly errorsPerSecond: number;
  /** Every so many suppressed answers one goes out empty and truncated. 0: none does. */
  readonly slip: number;
  /** Addresses and CIDR blocks without a limit. */
  readonly exempt: readonly string[];
}

export interface RateLimiterOptions {
  readonly settings: RateLimitSettings;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Unpredictable, so that nobody finds out which networks share a bucket. 32 bits. */
  readonly seed: number;
  readonly buckets?: number;
}

/** `slip`: tell the sender, in as many bytes as it sent, to come by TCP, where senders cannot be forged. */
export type Verdict = 'answer' | 'slip' | 'drop';

/** 1.3 MB. A flood from random senders would need 20 million packets a second to empty all of them. */
const DEFAULT_BUCKETS = 100_000;
/** A whole token less what a sum of fractions may be wrong by. */
const ONE_TOKEN = 0.999;

/**
 * Buckets are picked by a hash of network, zone and class of answer, and never more of them: memory and work stay the
 * same under any flood. Two that fall into one bucket share it; with `slip` the worse that can come of it is TCP.
 */
export class RateLimiter {
  readonly #settings: RateLimitSettings;
  readonly #clock: RateLimiterOptions['clock'];
  readonly #seed: number;
  readonly #exempt: NetworkList;
  /** What is left of the last refill. */
  readonly #tokens: Float32Array;
  readonly #filledMs: Float64Array;
  /** Answers suppressed since the last that slipped. */
  readonly #suppressed: Uint8Array;

  /** @throws LanyardError `config-invalid` for an exemption that is neither an address nor a CIDR block. */
  constructor({ settings, clock, seed, buckets = DEFAULT_BUCKETS }: RateLimiterOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#seed = seed;
    this.#exempt = new NetworkList(settings.exempt);
    this.#tokens = new Float32Array(buckets);
    this.#filledMs = new Float64Array(buckets).fill(-Infinity);
    this.#suppressed = new Uint8Array(buckets);
  }

  /** @param apex of the zone that answers; empty when none does. */
  judge(address: string, apex: string, isPositive: boolean): Verdict {
    const sourceBytes = readSource(address);
    if (this.#exempt.hasSource(sourceBytes)) return 'answer';
    const bucket = this.#bucketOf(sourceBytes, apex, isPositive);
    const tokens = this.#tokens[bucket] ?? 0;
    // Looking at the clock costs as much as all the rest, so a bucket is refilled only when it is empty.
    const left = tokens >= ONE_TOKEN ? tokens : this.#refill(bucket, tokens, isPositive);
    if (left < ONE_TOKEN) return this.#suppress(bucket);
    this.#tokens[bucket] = left - 1;
    return 'answer';
  }

  /** Adds what has come back since the last refill, one second's worth at most: so two of them may come at once. */
  #refill(bucket: number, tokens: number, isPositive: boolean): number {
    const rate = isPositive ? this.#settings.perSecond : this.#settings.errorsPerSecond;
    const nowMs = this.#clock.monotonicMs();
    const left = Math.min(rate, tokens + ((nowMs - (this.#filledMs[bucket] ?? 0)) * rate) / 1000);
    this.#filledMs[bucket] = nowMs;
    this.#tokens[bucket] = left;
    return left;
  }

  #suppress(bucket: number): Verdict {
    const { slip } = this.#settings;
    const count = (this.#suppressed[bucket] ?? 0) + 1;
    const isSlip = slip > 0 && count >= slip;
    this.#suppressed[bucket] = isSlip ? 0 : count;
    return isSlip ? 'slip' : 'drop';
  }

  #bucketOf(sourceBytes: number, apex: string, isPositive: boolean): number {
    const upper = (byteAt(0) << 16) | (byteAt(1) << 8) | byteAt(2);
    let hash = mix(this.#seed, sourceBytes === 0 ? 0 : upper);
    // A /24 of IPv4, a /56 of IPv6: what one site has.
    if (sourceBytes === 16) hash = mix(hash, (byteAt(3) << 24) | (byteAt(4) << 16) | (byteAt(5) << 8) | byteAt(6));
    return (mix(hash, hashOfApex(apex) ^ (isPositive ? 1 : 0)) >>> 0) % this.#tokens.length;
  }
}

function byteAt(index: number): number {
  return SOURCE[index] ?? 0;
}

/** The last steps of MurmurHash3, in which every bit comes to count for every other. */
function mix(hash: number, value: number): number {
  let mixed = hash ^ value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

let lastApex = '';
let lastHash = 0;

/** Nearly every query is for the same zone as the one before. */
function hashOfApex(apex: string): number {
  if (apex === lastApex) return lastHash;
  let hash = apex.length;
  for (let index = 0; index < apex.length; index++) hash = mix(hash, apex.charCodeAt(index));
  lastApex = apex;
  lastHash = hash;
  return hash;
}
