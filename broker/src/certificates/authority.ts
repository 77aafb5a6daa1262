/** Port: a certificate authority, as the order machine needs it. RFC 8555's words; one call is one intention. */
import type { FlattenedJws } from '@lanyard/sdk/protocol';
import type { ChallengeRecord } from './challenge-board.ts';
import type { ChallengeKind } from './challenge-kind.ts';
import type { RevocationReason, RenewalWindow } from './stored-certificate.ts';

/** RFC 8555 §7.1.6. */
export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

export interface AuthorityOrder {
  readonly url: string;
  readonly status: OrderStatus;
  readonly authorizationUrls: readonly string[];
  readonly finalizeUrl: string;
  /** Present once the order is valid. */
  readonly certificateUrl?: string;
  /** Why an order became invalid, as far as the CA said. */
  readonly problem?: AuthorityProblem;
  /** When the CA wants to be asked again, from now. */
  readonly retryAfterMs?: number;
}

export type AuthorizationStatus = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';

export interface Authorization {
  readonly url: string;
  /** The name to prove, without the wildcard's asterisk. */
  readonly name: string;
  readonly status: AuthorizationStatus;
  /** What this CA is asked to prove names by. */
  readonly challengeKind: ChallengeKind;
  /** The challenge of that kind; absent when the CA offers none. */
  readonly challenge?: Challenge;
  readonly problem?: AuthorityProblem;
  readonly retryAfterMs?: number;
}

export interface Challenge {
  readonly url: string;
  /** What the CA wants to find. */
  readonly record: ChallengeRecord;
}

/** A problem document (RFC 7807) as the CA sent it, cut to a sane length. */
export interface AuthorityProblem {
  /** For instance `urn:ietf:params:acme:error:dns`. */
  readonly type: string;
  readonly detail: string;
}

export interface NewOrder {
  readonly names: readonly string[];
  /** Certificate profile (draft-ietf-acme-profiles), if one is configured. */
  readonly profile?: string;
  /** ARI certificate id of the certificate that this order replaces (RFC 9773 §5). */
  readonly replaces?: string;
}

/**
 * Every method asks the CA once (badNonce is repeated inside, bounded), in bounded time, and never sleeps: what the
 * CA asks to wait for comes back as `retryAfterMs`.
 * @throws LanyardError `authority-unreachable` | `authority-rate-limited` | `authority-refused` |
 *   `authority-rejected-name` | `authority-validation-failed` | `authority-order-lost` | `authority-protocol`, with
 *   `retryAfterMs` where the CA gave one and `details.problem` with its document; `authority-rate-limited` with
 *   `details.limit` (LimitName) when the CA said which limit it was, `authority-replacement-refused` when an order named
 *   in `replaces` what may not be replaced.
 */
export interface Authority {
  newOrder(order: NewOrder, signal: AbortSignal): Promise<AuthorityOrder>;
  order(orderUrl: string, signal: AbortSignal): Promise<AuthorityOrder>;
  authorization(authorizationUrl: string, signal: AbortSignal): Promise<Authorization>;
  /** Tells the CA to look. Idempotent: a challenge that is already being looked at stays so. */
  trigger(challengeUrl: string, signal: AbortSignal): Promise<void>;
  /** @param csr DER of the PKCS#10 request. */
  finalize(finalizeUrl: string, csr: Uint8Array, signal: AbortSignal): Promise<AuthorityOrder>;
  /** The chain as PEM, leaf first, as the CA gave it. */
  certificate(certificateUrl: string, signal: AbortSignal): Promise<string>;
  /**
   * Revokes a certificate of this account (RFC 8555 §7.6). One that is revoked already stays so.
   * @param chain PEM, leaf first.
   */
  revoke(chain: string, reason: RevocationReason, signal: AbortSignal): Promise<void>;
  /** What an appliance has to know to sign the revocation of its certificate; good for one request, soon. */
  revocationTicket(signal: AbortSignal): Promise<RevocationTicket>;
  /**
   * Revokes a certificate by its own key, as the appliance signed it (RFC 8555 §7.6). One that is revoked already stays so.
   * @throws LanyardError `authority-nonce-refused`: another ticket is to be signed. `revocation-unsigned`: it is not the
   *   revocation of this certificate.
   */
  revokeByKey(revocation: RevocationByKey, signal: AbortSignal): Promise<void>;
  /** When the CA wants a certificate renewed (RFC 9773); undefined when this CA does not say. */
  renewalInfo(renewalId: string, signal: AbortSignal): Promise<RenewalInfo | undefined>;
}

export interface RevocationTicket {
  /** The CA's revokeCert. */
  readonly url: string;
  readonly nonce: string;
}

export interface RevocationByKey {
  /** PEM, leaf first. */
  readonly chain: string;
  /** What was to be signed. */
  readonly ticket: RevocationTicket;
  readonly jws: FlattenedJws;
}

export interface RenewalInfo {
  readonly window: RenewalWindow;
  /** A page for people, an https URL. */
  readonly explanationUrl?: string;
  /** When the CA wants to be asked again, from now; as it said, not yet within RFC 9773's bounds. */
  readonly retryAfterMs?: number;
}
