/** A world that outlives the issuer: CA, DNS and store, and lives of the issuer that can end at any act. Only for tests. */
import { silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { openInlineStore } from '../store/inline-store.ts';
import { AuthorityDouble, csrOf, readChainDouble, readClaims } from './authority-double.ts';
import type { Claims } from './authority-double.ts';
import type { AuthorityTerms } from './budget/rate-limit.ts';
import type { ChallengeBoard, ChallengeRecord } from './challenge-board.ts';
import type { Authority } from './authority.ts';
import { CertificateDesk } from './desk.ts';
import { Issuance } from './issuance.ts';
import { Issuers } from './issuers.ts';
import type { CaAccount } from './issuers.ts';
import type { Order } from './order.ts';
import { CaGate } from './schedule/ca-gate.ts';
import type { CertificateWithChain } from './stored-certificate.ts';

export const NAME = 'a.devices.example.com';
export const KEY_HASH = 'key-1';
export const DEVICE = 'appliance-1';

/** Sees every act on its way to the world, and may keep it from happening or its answer from coming back. */
export type Witness = (name: string, act: () => Promise<unknown>) => Promise<unknown>;

export const honest: Witness = (_name, act) => act();

export interface Life {
  readonly issuance: Issuance;
  readonly desk: CertificateDesk;
  readonly issued: CertificateWithChain[];
  readonly failed: Order[];
}

export class World {
  readonly clock = new VirtualClock();
  readonly board = new BoardInMemory();
  readonly store = openInlineStore(':memory:');
  #lives = 0;
  terms: AuthorityTerms = { id: 'ca', limits: {}, renewals: 'exempt' };
  /** CAs that take over. */
  others: readonly CaAccount[] = [];
  rehearsal: CaAccount | undefined;
  readonly authority = new AuthorityDouble({ clock: this.clock, txt: (name) => this.board.valuesAt(name) });

  /** A new process on the same world. */
  live(witness: Witness = honest, concurrency = 4): Life {
    const { clock } = this;
    const ports = { authority: seen(this.authority, 'authority', witness), board: seen(this.board, 'board', witness) };
    const shared = { store: seen(this.store.orders, 'store', witness), clock, log: silentLogger };
    // Other dice each time, or the ids of an earlier life came again.
    const random = seededRandom(++this.#lives);
    const gate = new CaGate({ clock, random, log: silentLogger });
    const { board, authority } = ports;
    const first = { terms: this.terms, authority, gate };
    const issuerOf = ({ terms, authority: other }: CaAccount) => ({
      terms,
      authority: seen(other, terms.id, witness),
      gate: new CaGate({ clock, random, log: silentLogger }),
    });
    const issuers = new Issuers({
      ranked: [first, ...this.others.map(issuerOf)],
      ...(this.rehearsal && { rehearsal: issuerOf(this.rehearsal) }),
      patienceMs: PATIENCE_MS,
    });
    const budget = { issuers, registeredDomainOf };
    const parts = { board, ...shared, ...budget, readChain: readChainDouble, random, settings: { concurrency } };
    const issuance = new Issuance(parts);
    const issued: CertificateWithChain[] = [];
    const failed: Order[] = [];
    issuance.onEvent({ issued: (certificate) => issued.push(certificate), failed: (order) => failed.push(order) });
    const desk = new CertificateDesk({ ...shared, store: this.store.orders, issuance, readRequest });
    return { issuance, desk, issued, failed };
  }
}

/** One CA for everything. */
export function onlyIssuer(authority: Authority): Issuers {
  const gate = { opensAtMs: () => 0, awaySinceMs: () => undefined, pass() {}, answered() {}, away() {}, busy() {} };
  const terms: AuthorityTerms = { id: 'ca', limits: {}, renewals: 'exempt' };
  return new Issuers({ ranked: [{ terms, authority, gate }], patienceMs: PATIENCE_MS });
}

/** How long a CA is away until another takes over. */
export const PATIENCE_MS = 15 * 60_000;

function registeredDomainOf(name: string): string {
  return name.split('.').slice(-2).join('.');
}

/** What the appliance sends. */
export function requestFor(names: readonly string[] = [NAME], keyHash = KEY_HASH, deviceId = DEVICE) {
  return { deviceId, names, keyHash, csr: csrOf({ names, keyHash }) };
}

async function readRequest(der: Uint8Array): Promise<Claims> {
  return readClaims(Buffer.from(der).toString());
}

/** A promise that a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

class BoardInMemory implements ChallengeBoard {
  readonly #records = new Map<string, Set<string>>();

  valuesAt(name: string): readonly string[] {
    return [...(this.#records.get(name) ?? [])];
  }

  get records(): readonly ChallengeRecord[] {
    return [...this.#records].flatMap(([name, values]) => [...values].map((value) => ({ kind: 'txt', name, value })));
  }

  async put({ name, value }: ChallengeRecord): Promise<void> {
    this.#records.set(name, new Set([...this.valuesAt(name), value]));
  }

  async clear({ name, value }: ChallengeRecord): Promise<void> {
    this.#records.get(name)?.delete(value);
  }

  async list(): Promise<readonly ChallengeRecord[]> {
    return this.records;
  }
}

/** The same port, with a witness before every method. */
function seen<T extends object>(port: T, label: string, witness: Witness): T {
  return new Proxy(port, {
    get(target, method) {
      const member: unknown = Reflect.get(target, method);
      if (typeof member !== 'function') return member;
      return (...given: readonly unknown[]) =>
        witness(`${label}.${String(method)}`, async () => await Reflect.apply(member, target, given));
    },
  });
}
