/**
 * DNS cookies (RFC 7873) as all servers make them (RFC 9018): by its cookie, a client shows that it receives what is
 * sent to the address it claims. No state is kept for it.
 */
import type { Clock } from '@lanyard/sdk/kernel';
import { SIPHASH_BYTES, sipHash } from './siphash.ts';
import { SOURCE, readSource } from './source-address.ts';

export interface ServerCookiesOptions {
  /** The first makes cookies, all of them are taken: so secrets change without a break (RFC 9018 §5). */
  readonly secrets: readonly Uint8Array[];
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** RFC 7873 §4.1. */
export const CLIENT_COOKIE_BYTES = 8;
/** RFC 7873 §4.2. */
export const MIN_SERVER_COOKIE_BYTES = 8;
/** RFC 7873 §4.2. */
export const MAX_SERVER_COOKIE_BYTES = 32;
/** RFC 9018 §4: version, three reserved bytes, the time in seconds, the hash. */
const SERVER_COOKIE_BYTES = 16;
const COOKIE_BYTES = CLIENT_COOKIE_BYTES + SERVER_COOKIE_BYTES;
/** What the hash is taken of, less the address: the client's cookie and the server's without its hash. */
const HASHED_BYTES = COOKIE_BYTES - SIPHASH_BYTES;
const TIME_OFFSET = CLIENT_COOKIE_BYTES + 4;
const VERSION = 1;

/** RFC 9018 §4.3. */
const LONGEST_AGE_SECONDS = 3600;
/** RFC 9018 §4.3: for servers of one anycast address whose clocks differ. */
const LONGEST_LEAD_SECONDS = 300;
/** RFC 9018 §4.3: a client gets a new cookie when its own is older. */
const RENEWAL_AGE_SECONDS = 1800;

/** What to send back, and whether what came proves the sender. */
export interface CookieAnswer {
  readonly isProof: boolean;
  /** The data of the option; valid until the next question. */
  readonly cookie: Uint8Array;
}

export class ServerCookies {
  readonly #secrets: readonly Uint8Array[];
  readonly #clock: ServerCookiesOptions['clock'];
  readonly #reply = Buffer.alloc(COOKIE_BYTES);
  readonly #hashed = Buffer.alloc(HASHED_BYTES + 16);
  readonly #hash = Buffer.alloc(SIPHASH_BYTES);

  constructor({ secrets, clock }: ServerCookiesOptions) {
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /**
   * @param cookie the option's data, which `parseQuery` has found to be of a lawful length.
   * @returns undefined when there is no secret, or no address to bind a cookie to.
   */
  answer(cookie: Uint8Array, address: string): CookieAnswer | undefined {
    const [secret] = this.#secrets;
    const addressBytes = readSource(address);
    if (secret === undefined || addressBytes === 0) return undefined;
    this.#hashed.set(SOURCE.subarray(0, addressBytes), HASHED_BYTES);
    const length = HASHED_BYTES + addressBytes;
    const nowSeconds = Math.floor(this.#clock.nowMs() / 1000) >>> 0;
    const maker = this.#makerOf(cookie, length, nowSeconds);
    if (maker === secret && ageOf(cookie, nowSeconds) <= RENEWAL_AGE_SECONDS) return { isProof: true, cookie };
    this.#make(cookie, length, nowSeconds, secret);
    return { isProof: maker !== undefined, cookie: this.#reply };
  }

  /** The secret that a cookie was made with; undefined when it is too old, or none of ours, or not of this address. */
  #makerOf(cookie: Uint8Array, length: number, nowSeconds: number): Uint8Array | undefined {
    if (cookie.length !== COOKIE_BYTES || cookie[CLIENT_COOKIE_BYTES] !== VERSION) return undefined;
    const ageSeconds = ageOf(cookie, nowSeconds);
    if (ageSeconds > LONGEST_AGE_SECONDS || ageSeconds < -LONGEST_LEAD_SECONDS) return undefined;
    // RFC 9018 §4.2: the reserved bytes may be anything, and are hashed as they came.
    this.#hashed.set(cookie.subarray(0, HASHED_BYTES));
    return this.#secrets.find((secret) => {
      sipHash(secret, this.#hashed, length, this.#hash, 0);
      return isEqual(this.#hash, cookie.subarray(HASHED_BYTES));
    });
  }

  #make(cookie: Uint8Array, length: number, nowSeconds: number, secret: Uint8Array): void {
    this.#hashed.set(cookie.subarray(0, CLIENT_COOKIE_BYTES));
    this.#hashed.writeUInt32BE(VERSION << 24, CLIENT_COOKIE_BYTES);
    this.#hashed.writeUInt32BE(nowSeconds, TIME_OFFSET);
    this.#reply.set(this.#hashed.subarray(0, HASHED_BYTES));
    sipHash(secret, this.#hashed, length, this.#reply, HASHED_BYTES);
  }
}

/** Whether the data of a COOKIE option has a length that it may have (RFC 7873 §5.2.2); otherwise: FORMERR. */
export function isCookieLength(bytes: number): boolean {
  const serverBytes = bytes - CLIENT_COOKIE_BYTES;
  return serverBytes === 0 || (serverBytes >= MIN_SERVER_COOKIE_BYTES && serverBytes <= MAX_SERVER_COOKIE_BYTES);
}

/** Seconds since the cookie was made, negative for one from the future, by RFC 1982 as the clock has 32 bits only. */
function ageOf(cookie: Uint8Array, nowSeconds: number): number {
  let madeSeconds = 0;
  for (let index = TIME_OFFSET; index < HASHED_BYTES; index++) madeSeconds = (madeSeconds << 8) | (cookie[index] ?? 0);
  return (nowSeconds - madeSeconds) | 0;
}

/** Takes as long for a wrong first byte as for a wrong last one. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = 0;
  for (let index = 0; index < SIPHASH_BYTES; index++) difference |= (one[index] ?? 0) ^ (other[index] ?? 0);
  return difference === 0;
}
