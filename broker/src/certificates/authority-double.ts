/** A CA in memory that keeps Boulder's rules, and can be told to break them. Only for tests. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import type {
  Authority,
  AuthorityOrder,
  AuthorityProblem,
  Authorization,
  NewOrder,
  RenewalInfo,
  RevocationByKey,
  RevocationTicket,
} from './authority.ts';
import type { IssuedChain } from './issued-chain.ts';
import type { RevocationReason } from './stored-certificate.ts';

/** How long validators look, and how long signing takes. */
const VALIDATION_MS = 1_000;
const SIGNING_MS = 700;
const DAY_MS = 86_400_000;

interface Proof {
  readonly url: string;
  readonly name: string;
  readonly isWildcard: boolean;
  status: Authorization['status'];
  isTriggered: boolean;
  problem?: AuthorityProblem;
}

interface CaOrder {
  readonly url: string;
  readonly names: readonly string[];
  readonly proofs: readonly Proof[];
  isProcessing: boolean;
  chain?: string;
}

/** What a signing request and a chain of this CA say. */
export interface Claims {
  readonly names: readonly string[];
  readonly keyHash: string;
}

export class AuthorityDouble implements Authority {
  /** When each newOrder came, for which names, and what it said it replaces. */
  readonly newOrders: { readonly atMs: number; readonly names: readonly string[]; readonly replaces?: string }[] = [];
  /** What renewal information says, by renewal id; a certificate that is not in it has none. */
  readonly windows = new Map<string, RenewalInfo>();
  /** Refuses every order that names a predecessor. */
  refuseReplacement = false;
  readonly #orders = new Map<string, CaOrder>();
  readonly #clock: Clock;
  readonly #txt: (name: string) => readonly string[];
  readonly revoked: { readonly chain: string; readonly reason: RevocationReason }[] = [];
  /** Chains that were revoked by their own key. */
  readonly revokedByKey: string[] = [];
  /** How many of the next nonces it will not know any more. */
  staleNonces = 0;
  #tickets = 0;
  issuedCount = 0;
  /** Changes what the next certificates say. */
  forge: (chain: IssuedChain) => IssuedChain = (chain) => chain;
  /** Called whenever an order is asked for. */
  onNewOrder = (): void => {};

  constructor({ clock, txt }: { readonly clock: Clock; readonly txt: (name: string) => readonly string[] }) {
    this.#clock = clock;
    this.#txt = txt;
  }

  /** How many orders it ever made. */
  get orderCount(): number {
    return this.#orders.size;
  }

  /** Forgets every order, as a CA does after their time. */
  loseOrders(): void {
    this.#orders.clear();
  }

  async newOrder({ names, replaces }: NewOrder): Promise<AuthorityOrder> {
    this.onNewOrder();
    this.newOrders.push({ atMs: this.#clock.nowMs(), names, ...(replaces !== undefined && { replaces }) });
    if (replaces !== undefined && this.refuseReplacement) throw new LanyardError('authority-replacement-refused');
    // Boulder hands out a pending or ready order of the same account and names again.
    for (const order of this.#orders.values()) {
      const status = statusOf(order);
      if (order.names.join() === names.join() && (status === 'pending' || status === 'ready')) return view(order);
    }
    const url = `https://ca.test/order/${this.newOrders.length}`;
    const proofs = names.map((name, index) => this.#proofOf(name, `${url}/authorization/${index}`));
    const order: CaOrder = { url, names, proofs, isProcessing: false };
    this.#orders.set(url, order);
    return view(order);
  }

  async order(orderUrl: string): Promise<AuthorityOrder> {
    return view(this.#find(orderUrl));
  }

  async authorization(authorizationUrl: string): Promise<Authorization> {
    const { url, name, status, isWildcard, problem } = this.#proof(authorizationUrl);
    const record = { kind: 'txt', name: `_acme-challenge.${name}`, value: tokenOf(url, isWildcard) } as const;
    const challenge = { url: `${url}/challenge`, record };
    return { url, name, status, challengeKind: 'dns-01', challenge, ...(problem && { problem }) };
  }

  async trigger(challengeUrl: string): Promise<void> {
    const proof = this.#proof(challengeUrl.replace('/challenge', ''));
    if (proof.status !== 'pending') throw refusal(`the challenge is ${proof.status}`);
    if (proof.isTriggered) return;
    proof.isTriggered = true;
    this.#clock.setTimer(VALIDATION_MS, () => this.#validate(proof));
  }

  async finalize(finalizeUrl: string, csr: Uint8Array): Promise<AuthorityOrder> {
    const order = this.#find(finalizeUrl.replace('/finalize', ''));
    if (statusOf(order) !== 'ready') throw refusal(`the order is ${statusOf(order)}, not ready`);
    const { names, keyHash } = readClaims(Buffer.from(csr).toString());
    if (names.join() !== order.names.join()) throw refusal('the request is for other names');
    order.isProcessing = true;
    this.#clock.setTimer(SIGNING_MS, () => {
      order.chain = this.#sign(names, keyHash);
    });
    return view(order);
  }

  async certificate(certificateUrl: string): Promise<string> {
    const { chain } = this.#find(certificateUrl.replace('/certificate', ''));
    if (chain === undefined) throw new LanyardError('authority-order-lost');
    return chain;
  }

  async revoke(chain: string, reason: RevocationReason): Promise<void> {
    this.revoked.push({ chain, reason });
  }

  async revocationTicket(): Promise<RevocationTicket> {
    this.#tickets += 1;
    return { url: 'https://ca.test/revoke', nonce: `nonce-${this.#tickets}` };
  }

  async revokeByKey({ chain, ticket }: RevocationByKey): Promise<void> {
    if (ticket.nonce !== `nonce-${this.#tickets}` || this.staleNonces > 0) {
      this.staleNonces -= 1;
      throw new LanyardError('authority-nonce-refused');
    }
    this.revokedByKey.push(chain);
  }

  async renewalInfo(renewalId: string): Promise<RenewalInfo | undefined> {
    return this.windows.get(renewalId);
  }

  /** Boulder proves a name again only when its last proof is not good any more. */
  #proofOf(fullName: string, url: string): Proof {
    const isWildcard = fullName.startsWith('*.');
    const name = isWildcard ? fullName.slice(2) : fullName;
    const all = [...this.#orders.values()].flatMap(({ proofs }) => proofs);
    const isSame = (proof: Proof): boolean => proof.name === name && proof.isWildcard === isWildcard;
    const valid = all.find((proof) => isSame(proof) && proof.status === 'valid');
    return valid ?? { url, name, isWildcard, status: 'pending', isTriggered: false };
  }

  #validate(proof: Proof): void {
    const recordName = `_acme-challenge.${proof.name}`;
    if (this.#txt(recordName).includes(tokenOf(proof.url, proof.isWildcard))) {
      proof.status = 'valid';
      return;
    }
    proof.status = 'invalid';
    proof.problem = { type: 'urn:ietf:params:acme:error:dns', detail: `no TXT record at ${recordName}` };
  }

  #sign(names: readonly string[], keyHash: string): string {
    const serial = String(++this.issuedCount);
    const nowMs = this.#clock.nowMs();
    const life = { notBeforeMs: nowMs, notAfterMs: nowMs + 90 * DAY_MS };
    const ids = { serial, renewalId: `ari.${serial}`, fingerprint: `fingerprint of ${serial}` };
    const chain = { names, keyHash, ...ids, ...life };
    return JSON.stringify(this.forge(chain));
  }

  #find(orderUrl: string): CaOrder {
    const order = this.#orders.get(orderUrl);
    if (order === undefined) throw new LanyardError('authority-order-lost');
    return order;
  }

  #proof(url: string): Proof {
    const all = [...this.#orders.values()].flatMap(({ proofs }) => proofs);
    const proof = all.find((each) => each.url === url);
    if (proof === undefined) throw new LanyardError('authority-order-lost');
    return proof;
  }
}

/** A signing request that this CA understands. */
export function csrOf(claims: Claims): Uint8Array {
  return Buffer.from(JSON.stringify(claims));
}

/** Reads such a request, or a chain. */
export function readClaims(text: string): Claims {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was written above, and is in tests only
  return JSON.parse(text) as Claims;
}

export function readChainDouble(pem: string): IssuedChain {
  if (!pem.startsWith('{')) throw new LanyardError('authority-protocol', { message: 'this is no chain' });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was written above, and is in tests only
  return JSON.parse(pem) as IssuedChain;
}

function statusOf({ proofs, isProcessing, chain }: CaOrder): AuthorityOrder['status'] {
  if (chain !== undefined) return 'valid';
  if (isProcessing) return 'processing';
  if (proofs.some(({ status }) => status === 'invalid')) return 'invalid';
  return proofs.every(({ status }) => status === 'valid') ? 'ready' : 'pending';
}

function view(order: CaOrder): AuthorityOrder {
  const status = statusOf(order);
  const { url, proofs } = order;
  const urls = { url, authorizationUrls: proofs.map((proof) => proof.url), finalizeUrl: `${url}/finalize` };
  return { ...urls, status, ...(status === 'valid' && { certificateUrl: `${url}/certificate` }) };
}

function tokenOf(url: string, isWildcard: boolean): string {
  return `token of ${isWildcard ? '*' : ''}${url}`;
}

function refusal(message: string): LanyardError {
  return new LanyardError('authority-refused', { message });
}
