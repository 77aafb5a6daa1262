/** ARI (RFC 9773) by Boulder's rules: when to renew what, and whether an order really replaces what it says. */
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { CertificateRecord, Certificates } from './certificates.ts';
import { readCertId } from './cert-id.ts';
import { Problem } from './problems.ts';
import { immediateWindow, isWithin, ordinaryWindow, type RenewalWindow } from './renewal-window.ts';
import type { Incidents } from './incidents.ts';
import type { AuthorityPolicy } from './policy.ts';

export interface RenewalInfo extends RenewalWindow {
  readonly explanationUrl?: string;
  readonly retryAfterSeconds: number;
}

export interface RenewingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Pick<AuthorityPolicy, 'renewalPollMs'>;
  readonly certificates: Certificates;
  readonly incidents: Incidents;
}

/** Boulder's. */
const POLL_JITTER = 0.2;

export class Renewing {
  readonly #parts: RenewingOptions;

  constructor(options: RenewingOptions) {
    this.#parts = options;
  }

  /** @throws Problem `malformed` */
  info(certId: string): RenewalInfo {
    const record = this.#find(certId);
    const explanationUrl = this.#parts.incidents.affecting(record)?.explanationUrl;
    const jitter = 1 + POLL_JITTER * (2 * this.#parts.random.uniform() - 1);
    return {
      ...this.#window(record),
      ...(explanationUrl === undefined ? {} : { explanationUrl }),
      retryAfterSeconds: Math.round((this.#parts.policy.renewalPollMs / 1_000) * jitter),
    };
  }

  /**
   * The serial of what the order replaces, and whether that exempts it from the limits.
   * @throws Problem `alreadyReplaced` | `unauthorized` | `malformed`: a wish that does not hold is no ordinary order.
   */
  checkReplacement(
    certId: string,
    order: { readonly accountId: string; readonly names: readonly string[] },
    isAlive: (orderId: string) => boolean,
  ): { readonly serial: string; readonly isExempt: boolean } {
    const record = this.#find(certId);
    const { replacement } = record;
    if (replacement !== undefined && (replacement.isIssued || isAlive(replacement.orderId))) {
      const what = `cannot indicate an order replaces certificate with serial ${JSON.stringify(record.id)}`;
      throw refusal('alreadyReplaced', `${what}, which already has a replacement order`);
    }
    if (record.accountId !== order.accountId) {
      throw refusal('unauthorized', 'requester account did not request the certificate being replaced by this order');
    }
    if (!order.names.some((name) => record.names.includes(name))) {
      throw refusal(
        'malformed',
        'identifiers in this order do not match any identifiers in the certificate being replaced',
      );
    }
    return { serial: record.id, isExempt: isWithin(this.#window(record), this.#parts.clock.nowMs()) };
  }

  #window(record: CertificateRecord): RenewalWindow {
    const isUrgent = record.revocation !== undefined || this.#parts.incidents.affecting(record) !== undefined;
    if (isUrgent) return immediateWindow(this.#parts.clock.nowMs());
    return ordinaryWindow(record.notBeforeMs, record.notAfterMs);
  }

  #find(certId: string): CertificateRecord {
    const { authorityKeyId, serial } = readCertId(certId);
    const record = this.#parts.certificates.get(serial);
    if (record === undefined || record.authorityKeyId !== authorityKeyId) {
      throw new Problem('malformed', 'Certificate not found', { status: 404 });
    }
    return record;
  }
}

function refusal(type: 'alreadyReplaced' | 'unauthorized' | 'malformed', detail: string): Problem {
  return new Problem(type, `Could not validate ARI 'replaces' field :: ${detail}`);
}
