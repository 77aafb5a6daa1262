/** Where an appliance's questions about its certificate are answered. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import type { HeldCertificate, Todo } from '@lanyard/sdk/protocol';
import type { Issuance } from './issuance.ts';
import type { Order } from './order.ts';
import type { Dossier, OrderStore } from './order-store.ts';
import type { Acceptance } from './request.ts';
import type { Outlook } from './schedule/turns.ts';
import type { ReadSigningRequest } from './signing-request.ts';
import { decideTodo, hasExactly } from './standing.ts';
import type { CertificateWithChain, StoredCertificate } from './stored-certificate.ts';

export interface DeskParts {
  readonly store: OrderStore;
  readonly issuance: Pick<Issuance, 'request' | 'openOrder' | 'outlook' | 'waitsUntilMs'>;
  readonly readRequest: ReadSigningRequest;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Question {
  readonly deviceId: string;
  /** The names that are the appliance's own now. */
  readonly names: readonly string[];
  readonly held: HeldCertificate | undefined;
  readonly pendingKeyHash: string | undefined;
}

export interface Advice {
  readonly todo: Todo;
  /** What to hand over, when it is to be installed. */
  readonly certificate?: CertificateWithChain;
  /** When to look again if nothing else happens before, epoch milliseconds. */
  readonly lookAgainAtMs: number;
}

/** What became of a signing request; one with a key that was seen before is refused by an error. */
export type Answer =
  | Extract<Acceptance, { kind: 'accepted' | 'running' | 'busy' }>
  | { readonly kind: 'issued'; readonly certificate: CertificateWithChain };

/** A certificate that is not acknowledged is sent again this often. */
const RESEND_MS = 10 * 60_000;

/** A wish that is not acted upon is said again this often. */
const REPEAT_MS = 60 * 60_000;

export class CertificateDesk {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** What the appliance should do next. What it says it holds counts as installed. */
  async advise(question: Question): Promise<Advice> {
    const { deviceId, names, held, pendingKeyHash } = question;
    const { store, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const dossier = await store.dossier(deviceId);
    const latest = dossier.latestCertificate;
    if (held && latest?.fingerprint === held.fingerprint && latest.installedAtMs === undefined) {
      await store.markInstalled(deviceId, held.fingerprint, nowMs);
    }
    const todo = decideTodo({ nowMs, names, held, pendingKeyHash, dossier });
    if (todo.kind === 'install' && latest) {
      const certificate = await this.#withChain(latest);
      // Superseded between the two looks: there is a newer one to judge by.
      return certificate ? { todo, certificate, lookAgainAtMs: this.resendAtMs() } : await this.advise(question);
    }
    return { todo, lookAgainAtMs: todo.kind === 'nothing' && latest ? latest.renewAtMs : nowMs + REPEAT_MS };
  }

  /**
   * Accepts a signing request for exactly `names`, durably.
   * @throws LanyardError `csr-invalid` | `csr-weak-key` | `csr-names` | `csr-key-reused` | `csr-key-refused` | `store-failed`.
   */
  async request(deviceId: string, names: readonly string[], csr: Uint8Array): Promise<Answer> {
    const asked = await this.#parts.readRequest(csr);
    if (!hasExactly(asked.names, names)) {
      const message = `the request asks for ${asked.names.join(', ') || 'no name'}; the appliance’s own is ${names.join(', ')}`;
      throw new LanyardError('csr-names', { message });
    }
    const acceptance = await this.#parts.issuance.request({ deviceId, names, keyHash: asked.keyHash, csr });
    if (acceptance.kind === 'key-reused') throw new LanyardError('csr-key-reused');
    if (acceptance.kind === 'key-refused') throw new LanyardError('csr-key-refused');
    if (acceptance.kind !== 'issued') return acceptance;
    const certificate = await this.#withChain(acceptance.certificate);
    // Superseded between the two looks: this key's time is over.
    if (certificate === undefined) throw new LanyardError('csr-key-reused');
    return { kind: 'issued', certificate };
  }

  /** The appliance serves the certificate: it is not sent again. @returns it, unless there is a newer one. */
  async installed(deviceId: string, fingerprint: string): Promise<StoredCertificate | undefined> {
    const { store, clock, log } = this.#parts;
    const newest = await store.markInstalled(deviceId, fingerprint, clock.nowMs());
    if (newest) log.info({ deviceId, fingerprint }, 'certificate installed');
    else log.warn({ deviceId, fingerprint }, 'an appliance installed a certificate that is not its newest');
    return newest;
  }

  /** When a certificate that is handed over now is handed over again, unless it is acknowledged. */
  resendAtMs(): number {
    return this.#parts.clock.nowMs() + RESEND_MS;
  }

  /** Asks for a new certificate as soon as the appliance is there. False when it has none yet. */
  renewNow(deviceId: string): Promise<boolean> {
    return this.#parts.store.renewAt(deviceId, this.#parts.clock.nowMs());
  }

  async dossier(deviceId: string): Promise<Dossier> {
    const { store, issuance } = this.#parts;
    const stored = await store.dossier(deviceId);
    const openOrder = stored.openOrder && (issuance.openOrder(stored.openOrder.id) ?? stored.openOrder);
    return { ...stored, ...(openOrder && { openOrder }) };
  }

  /** Why an open order is not going on this very moment; undefined when it is. */
  outlook(order: Order): Outlook | undefined {
    return this.#parts.issuance.outlook(order);
  }

  /** Until when an open order waits, as far as can be told; others may be before it. */
  waitsUntilMs(order: Order): number | undefined {
    return this.#parts.issuance.waitsUntilMs(order);
  }

  async #withChain(certificate: StoredCertificate): Promise<CertificateWithChain | undefined> {
    const chain = await this.#parts.store.chain(certificate.deviceId, certificate.fingerprint);
    return chain === undefined ? undefined : { ...certificate, chain };
  }
}
