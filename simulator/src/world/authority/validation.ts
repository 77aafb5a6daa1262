/** Looks at a dns-01 challenge and at CAA from several vantage points (RFC 8555 §8.4; Boulder's va). */
import { hash } from 'node:crypto';
import { permitsIssuance } from './caa.ts';
import { baseName, isWildcard } from './names.ts';
import { Problem } from './problems.ts';
import { LookupFailure, type Resolver } from './resolver.ts';

export interface ValidatorOptions {
  /** The primary vantage point first. */
  readonly perspectives: readonly [Resolver, ...Resolver[]];
  readonly caaIdentity: string;
}

export interface Proof {
  /** As ordered, with the asterisk of a wildcard. */
  readonly name: string;
  readonly accountUrl: string;
  /** Token and thumbprint, joined as RFC 8555 §8.1 says. */
  readonly keyAuthorization: string;
}

export class Validator {
  readonly #perspectives: readonly [Resolver, ...Resolver[]];
  readonly #caaIdentity: string;

  constructor(options: ValidatorOptions) {
    this.#perspectives = options.perspectives;
    this.#caaIdentity = options.caaIdentity;
  }

  /**
   * Resolves when enough vantage points agree that the record is there, and then enough, perhaps others, that CAA
   * permits: Boulder asks for a quorum twice (ra.checkDCVAndCAA).
   * @throws Problem `unauthorized` | `dns` | `caa`
   */
  async prove(proof: Proof, signal: AbortSignal): Promise<void> {
    await this.#agree((resolver) => checkRecord(resolver, proof, signal));
    await this.recheckCaa(proof, signal);
  }

  /** @throws Problem `dns` | `caa` */
  async recheckCaa(proof: Pick<Proof, 'name' | 'accountUrl'>, signal: AbortSignal): Promise<void> {
    await this.#agree((resolver) => this.#checkCaa(resolver, proof, signal));
  }

  /** The primary first, as Boulder does, to spare the others what fails anyway. */
  async #agree(look: (resolver: Resolver) => Promise<void>): Promise<void> {
    const [primary, ...remotes] = this.#perspectives;
    await look(primary).catch(rethrowAsProblem);
    if (remotes.length === 0) return;
    const answers = await Promise.allSettled(remotes.map((remote) => look(remote).catch(rethrowAsProblem)));
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    const [first] = failures;
    if (failures.length <= tolerable(remotes.length)) return;
    if (!(first instanceof Problem)) throw first;
    throw new Problem(first.type, `During secondary validation: ${first.message}`);
  }

  async #checkCaa(resolver: Resolver, proof: Pick<Proof, 'name' | 'accountUrl'>, signal: AbortSignal): Promise<void> {
    const name = baseName(proof.name);
    const isPermitted = permitsIssuance(await resolver.caa(name, signal), {
      identity: this.#caaIdentity,
      accountUrl: proof.accountUrl,
      method: 'dns-01',
      isWildcard: isWildcard(proof.name),
    });
    if (!isPermitted) throw new Problem('caa', `CAA record for ${name} prevents issuance`);
  }
}

/** Where the proof for a name is published (RFC 8555 §8.4). */
export function recordName(name: string): string {
  return `_acme-challenge.${baseName(name)}`;
}

/** What is published there. */
export function recordValue(keyAuthorization: string): string {
  return hash('sha256', keyAuthorization, 'base64url');
}

/** How many remote vantage points may disagree (Baseline Requirements §3.2.2.9). */
function tolerable(remotes: number): number {
  if (remotes < 2) return 0;
  return remotes < 6 ? 1 : 2;
}

async function checkRecord(resolver: Resolver, proof: Proof, signal: AbortSignal): Promise<void> {
  const owner = recordName(proof.name);
  const expected = recordValue(proof.keyAuthorization);
  const found = await resolver.txt(owner, signal);
  if (found.includes(expected)) return;
  const [first, ...others] = found;
  if (first === undefined) throw new Problem('unauthorized', `No TXT record found at ${owner}`);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  // Cut as in Boulder, so that a zone cannot fill our answers.
  throw new Problem(
    'unauthorized',
    `Incorrect TXT record ${JSON.stringify(first.slice(0, 100))}${more} found at ${owner}`,
  );
}

function rethrowAsProblem(error: unknown): never {
  if (error instanceof LookupFailure) throw new Problem('dns', error.message);
  throw error;
}
