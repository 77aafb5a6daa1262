/** The ACME adapter with a CA in the same process: acme-client and all, but no sockets and no real time. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import { AcmeAuthority } from './acme-authority.ts';
import type { AccountRecord, AccountStore } from './account.ts';
import { parseCaUrl } from './ca-url.ts';
import { NoncePool } from './nonce-pool.ts';
import { parseRetryAfter } from './retry-after.ts';
import { abandoned } from './transport.ts';
import type { CaAnswer, CaRequest, CaTransport } from './transport.ts';

export interface AcmeDoorRequest {
  readonly method: CaRequest['method'];
  /** With the query, from the slash on. */
  readonly path: string;
  readonly body: string | undefined;
}

export interface AcmeDoorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** Rejects as a network does when the CA cannot be reached or hangs up. */
export type AcmeDoor = (request: AcmeDoorRequest) => Promise<AcmeDoorAnswer>;

export interface AcmeOverDoorOptions {
  readonly directoryUrl: string;
  readonly door: AcmeDoor;
  readonly clock: Clock;
  readonly log: Logger;
  readonly profile?: string;
  /** PKCS#8 PEM of the account's key; a new one when left out. */
  readonly accountKeyPem?: string;
}

/** The account lives as long as what is returned: hand it to every life of the broker. */
export function acmeOverDoor(options: AcmeOverDoorOptions): AcmeAuthority {
  const { directoryUrl, door, clock, log, profile, accountKeyPem: keyPem } = options;
  const transport = new DoorTransport(door, clock);
  const account = new MemoryAccountStore(keyPem === undefined ? undefined : { directoryUrl, keyPem });
  return new AcmeAuthority({ directoryUrl, account, transport, clock, log, ...(profile !== undefined && { profile }) });
}

class DoorTransport implements CaTransport {
  readonly nonces: NoncePool;
  readonly #door: AcmeDoor;
  readonly #clock: Clock;

  constructor(door: AcmeDoor, clock: Clock) {
    this.nonces = new NoncePool({ clock });
    this.#door = door;
    this.#clock = clock;
  }

  async send({ method, url, body }: CaRequest, signal: AbortSignal): Promise<CaAnswer> {
    if (signal.aborted) throw abandoned(signal);
    const { pathname, search, href } = new URL(url);
    const answer = await this.#door({ method, path: pathname + search, body }).catch((cause: unknown) => {
      throw new LanyardError('authority-unreachable', { message: 'no usable answer from the CA', cause });
    });
    const receivedAtMs = this.#clock.nowMs();
    const header = (name: string): string | undefined => headerOf(answer, name);
    return {
      status: answer.status,
      text: answer.body,
      nonce: header('Replay-Nonce'),
      location: parseCaUrl(header('Location'), href),
      retryAfterMs: parseRetryAfter(header('Retry-After'), receivedAtMs),
      receivedAtMs,
    };
  }
}

/** Header names know no case (RFC 9110 §5.1); most doors write them as they are looked for. */
function headerOf({ headers }: AcmeDoorAnswer, name: string): string | undefined {
  const written = name in headers ? name : Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase());
  const value = written === undefined ? undefined : headers[written];
  return typeof value === 'string' ? value : value?.[0];
}

class MemoryAccountStore implements AccountStore {
  #record: AccountRecord | undefined;

  constructor(record: AccountRecord | undefined) {
    this.#record = record;
  }

  async read(): Promise<AccountRecord | undefined> {
    return this.#record;
  }

  async write(record: AccountRecord): Promise<void> {
    this.#record = record;
  }
}
