/** Our way through a CA without appliances: account, orders, budget, DNS and renewal information, and nothing else. */
import { silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock, ErrorCode, Logger, Runnable } from '@lanyard/sdk/kernel';
import type { TownAuthority } from '@lanyard/simulator';
import { AcmeAuthority } from '../../broker/src/acme/acme-authority.ts';
import type { AcmeAuthorityOptions } from '../../broker/src/acme/acme-authority.ts';
import { MemoryAccountStore } from '../../broker/src/acme/authority-rig.ts';
import { AcmeTransport } from '../../broker/src/acme/transport.ts';
import { termsOf } from '../../broker/src/certificates/budget/presets.ts';
import type { ChallengeBoard } from '../../broker/src/certificates/challenge-board.ts';
import { Issuance } from '../../broker/src/certificates/issuance.ts';
import type { OrderStore } from '../../broker/src/certificates/order-store.ts';
import type { Order } from '../../broker/src/certificates/order.ts';
import { RenewalWatch } from '../../broker/src/certificates/renewal/renewal-watch.ts';
import { Issuers } from '../../broker/src/certificates/issuers.ts';
import { CaGate } from '../../broker/src/certificates/schedule/ca-gate.ts';
import type { CertificateWithChain, StoredCertificate } from '../../broker/src/certificates/stored-certificate.ts';
import { readIssuedChain } from '../../broker/src/pki/issued-chain.ts';
import { readSigningRequest } from '../../broker/src/pki/signing-request.ts';
import { registeredDomains } from '../../broker/src/registered-domain.ts';
import { openInlineStore } from '../../broker/src/store/inline-store.ts';
import type { InlineStore } from '../../broker/src/store/inline-store.ts';
import { makeKeyPair } from '../../sdk/src/identity/key-pair.ts';
import { makeSigningRequest } from '../../sdk/src/identity/signing-request.ts';

/** There is no other CA to turn to. */
const PATIENCE_MS = 900_000;

export interface IssuerParts {
  readonly ca: Pick<TownAuthority, 'directoryUrl'> & Partial<Pick<TownAuthority, 'tlsRootPem'>>;
  /** What the CA's validators are shown. */
  readonly board: ChallengeBoard;
  /** Outlives the issuer, as a file does. */
  readonly account?: MemoryAccountStore;
  /** Path of its database; in memory when left out. */
  readonly database?: string;
  /** What its pauses go by; requests take real time. */
  readonly clock?: Clock;
  readonly acme?: Pick<AcmeAuthorityOptions, 'profile' | 'externalAccount' | 'challenge'>;
}

export class Issuer implements Runnable {
  readonly authority: AcmeAuthority;
  /** Why orders were delayed: codes, in the order of the log. */
  readonly delays: unknown[] = [];
  /** What went wrong with orders, as it was stored with them. */
  readonly failures: ErrorCode[] = [];
  /** The same in the CA’s words. */
  readonly complaints: string[] = [];
  /** How often a record was put up. */
  published = 0;
  readonly #transport: AcmeTransport;
  readonly #store: InlineStore;
  readonly #issuance: Issuance;
  readonly #renewals: RenewalWatch;
  readonly #issued = new Map<string, CertificateWithChain>();
  /** By name: what is called when its order is closed. */
  readonly #awaited = new Map<string, () => void>();
  readonly #failedAtMs = new Map<string, number>();
  #onLooked: () => void = () => {};

  constructor(parts: IssuerParts) {
    const { ca, board, account = new MemoryAccountStore(), database = ':memory:', clock = systemClock, acme } = parts;
    const { directoryUrl, tlsRootPem } = ca;
    const trust = tlsRootPem === undefined ? {} : { extraRootsPem: tlsRootPem };
    this.#transport = new AcmeTransport({ clock: systemClock, ...trust });
    const access = { directoryUrl, account, transport: this.#transport, clock: systemClock, log: silentLogger };
    this.authority = new AcmeAuthority({ ...access, ...acme });
    this.#store = openInlineStore(database);
    const world = { clock, random: systemRandom, log: this.#log() };
    const { authority } = this;
    const terms = termsOf({ preset: 'pebble', id: directoryUrl });
    this.#issuance = new Issuance({
      ...world,
      board: this.#counting(board),
      readChain: readIssuedChain,
      store: this.#watched(),
      issuers: new Issuers({ ranked: [{ terms, authority, gate: new CaGate(world) }], patienceMs: PATIENCE_MS }),
      registeredDomainOf: registeredDomains(),
      settings: { concurrency: 8 },
    });
    this.#issuance.onEvent({
      issued: (certificate) => void this.#issued.set(certificate.keyHash, certificate),
      failed: () => {},
    });
    const settings = { concurrency: 4 };
    this.#renewals = new RenewalWatch({ ...world, authority, terms, store: this.#watched(), settings });
  }

  async start(): Promise<void> {
    await this.#transport.start();
    await this.authority.start();
    await this.#issuance.start();
    await this.#renewals.start();
  }

  async stop(): Promise<void> {
    await this.#renewals.stop();
    await this.#issuance.stop();
    await this.authority.stop();
    await this.#transport.stop();
    this.#store.close();
  }

  /** Asks for a certificate with a new key, as an appliance does, and resolves when it is there and all is tidied up. */
  async order(name: string): Promise<CertificateWithChain> {
    const csr = await makeSigningRequest({ ...(await makeKeyPair()), names: [name] });
    const { keyHash } = await readSigningRequest(csr);
    const closed = new Promise<void>((resolve) => this.#awaited.set(name, resolve));
    const acceptance = await this.#issuance.request({ deviceId: name, names: [name], keyHash, csr });
    if (acceptance.kind !== 'accepted') throw new Error(`the request is ${acceptance.kind}`);
    await closed;
    const certificate = this.#issued.get(keyHash);
    if (certificate === undefined) throw new Error('the order is closed without a certificate');
    return certificate;
  }

  /** Resolves with the newest certificate once the CA was asked for its renewal information again. */
  async lookedUp(name: string): Promise<StoredCertificate> {
    await new Promise<void>((resolve) => (this.#onLooked = resolve));
    return await this.newest(name);
  }

  async newest(name: string): Promise<StoredCertificate> {
    const { latestCertificate } = await this.#store.orders.dossier(name);
    if (latestCertificate === undefined) throw new Error(`${name} has no certificate`);
    return latestCertificate;
  }

  #counting(board: ChallengeBoard): ChallengeBoard {
    return {
      put: async (record) => {
        this.published += 1;
        await board.put(record);
      },
      clear: (record) => board.clear(record),
      list: () => board.list(),
    };
  }

  #watched(): OrderStore {
    const { orders } = this.#store;
    const noteRenewal: OrderStore['noteRenewal'] = async (lookedUp, renewal) => {
      const isNewest = await orders.noteRenewal(lookedUp, renewal);
      this.#onLooked();
      return isNewest;
    };
    const save: OrderStore['save'] = async (order, changes) => {
      this.#noteFailure(order);
      return await orders.save(order, changes);
    };
    return { ...orders, noteRenewal, save };
  }

  #noteFailure({ id, lastFailure }: Order): void {
    if (lastFailure === undefined || lastFailure.atMs === this.#failedAtMs.get(id)) return;
    this.#failedAtMs.set(id, lastFailure.atMs);
    this.failures.push(lastFailure.code);
    this.complaints.push(lastFailure.message);
  }

  #log(): Logger {
    const warn: Logger['warn'] = ({ code }, message) => {
      if (message === 'order delayed') this.delays.push(code);
    };
    const debug: Logger['debug'] = ({ deviceId, state }) => {
      if (state === 'issued') this.#awaited.get(String(deviceId))?.();
    };
    return { ...silentLogger, debug, warn };
  }
}
