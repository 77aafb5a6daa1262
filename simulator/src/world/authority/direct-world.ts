/** A model CA on a virtual clock behind its direct door, with stub certificates, for tests of its rules. */
import { silentLogger } from '@lanyard/sdk/kernel';
import { seededRandom, VirtualClock } from '@lanyard/sdk/testing';
import type { AuthorityEvent } from './authority-event.ts';
import type { CertificateMaker } from './certificate-maker.ts';
import type { DirectCertificate, DirectDoor, DirectOrder, DirectOrderRequest } from './direct-door.ts';
import { ModelAuthority, type ModelAuthorityOptions } from './model-authority.ts';
import { BOULDER_POLICY, type AuthorityPolicy } from './policy.ts';
import { LookupFailure } from './resolver.ts';
import type { RateLimit, RateLimits, LimitName } from './rate-limits.ts';
import { StubMaker, writeStubRequest } from './stub-maker.ts';

export const SECOND_MS = 1000;
export const HOUR_MS = 3600 * SECOND_MS;
export const DAY_MS = 24 * HOUR_MS;

export interface DirectWorldOptions extends Partial<Pick<ModelAuthorityOptions, 'capacity' | 'registeredDomain'>> {
  readonly policy?: Partial<AuthorityPolicy>;
  readonly limits?: RateLimits;
  /** Stubs when left out. */
  readonly maker?: CertificateMaker;
  readonly seed?: number;
}

export class DirectWorld {
  readonly clock = new VirtualClock();
  readonly events: AuthorityEvent[] = [];
  readonly txt = new Map<string, readonly string[]>();
  readonly core: ModelAuthority;
  readonly door: DirectDoor;
  #keys = 0;

  constructor(options: DirectWorldOptions = {}) {
    const { policy = {}, seed = 7, ...more } = options;
    const { clock } = this;
    const random = seededRandom(seed);
    this.core = new ModelAuthority({
      clock,
      random,
      log: silentLogger,
      policy: { ...BOULDER_POLICY, validationDelayMs: 0, asyncFinalizeMs: 0, ...policy },
      maker: new StubMaker({ random }),
      perspectives: [{ txt: (name) => this.#txt(name), caa: async () => [] }],
      baseUrl: 'https://ca.test',
      onEvent: (event) => this.events.push(event),
      ...more,
    });
    this.door = this.account('thumbprint');
  }

  account(thumbprint: string, address?: string): DirectDoor {
    return this.core.direct({ thumbprint, ...(address === undefined ? {} : { address }) });
  }

  /** Of one kind, in their order. */
  told<K extends AuthorityEvent['kind']>(kind: K): readonly Extract<AuthorityEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<AuthorityEvent, { kind: K }> => event.kind === kind);
  }

  async prove(order: DirectOrder, door = this.door, hasRecord = true): Promise<void> {
    for (const id of order.authorizationIds) {
      const { status, recordName, recordValue } = await door.authorization(id);
      if (status !== 'pending') continue;
      if (hasRecord) this.txt.set(recordName, [recordValue]);
      await door.trigger(id);
      await this.clock.advance(0);
      this.txt.delete(recordName);
    }
  }

  /** From the wish to the certificate. */
  async issue(wish: DirectOrderRequest | string, door = this.door): Promise<DirectCertificate> {
    const wanted = typeof wish === 'string' ? { names: [wish] } : wish;
    return this.finish(await door.newOrder(wanted), door);
  }

  async finish(order: DirectOrder, door = this.door): Promise<DirectCertificate> {
    await this.prove(order, door);
    this.#keys += 1;
    const request = writeStubRequest({ names: order.names, keyFingerprint: `key-${this.#keys}` });
    const done = await door.finalize(order.id, request);
    if (done.certificateSerial === undefined) throw new Error(`not issued: ${JSON.stringify(done)}`);
    return door.certificate(done.certificateSerial);
  }

  /** An order whose validation finds no record. */
  async fail(name: string, door = this.door): Promise<void> {
    await this.prove(await door.newOrder({ names: [name] }), door, false);
  }

  async #txt(name: string): Promise<readonly string[]> {
    const values = this.txt.get(name);
    if (values === undefined) throw new LookupFailure({ type: 'TXT', name, outcome: 'NXDOMAIN' });
    return values;
  }
}

export function only(name: LimitName, limit: RateLimit): RateLimits {
  return { limits: { [name]: limit }, ceilings: {} };
}

/** What a refusal looks like, as far as a test cares. */
export async function refusalOf(work: Promise<unknown>): Promise<{ type: string; status: number; detail: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error && 'type' in error && 'status' in error) {
      return { type: String(error.type), status: Number(error.status), detail: error.message };
    }
    throw error;
  }
  throw new Error('it was not refused');
}
