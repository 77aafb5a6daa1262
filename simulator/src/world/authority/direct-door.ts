/** The door for scale: the CA's own rules without JWS, nonces, HTTP and JSON, for one account. */
import type { AuthorizationStatus } from './authorizations.ts';
import type { OrderStatus } from './orders.ts';
import type { ProblemDocument } from './problems.ts';

/** Who asks. */
export interface DirectClient {
  /** RFC 7638 of a key that need not exist; it goes into the key authorization, and names the account. */
  readonly thumbprint: string;
  /** What the per-address limits count by; nothing is counted without it. */
  readonly address?: string;
}

export interface DirectOrderRequest {
  readonly names: readonly string[];
  readonly profile?: string;
  /** The ARI certID of the certificate that this one follows (RFC 9773 §5). */
  readonly replaces?: string;
}

export interface DirectOrder {
  readonly id: string;
  readonly status: OrderStatus;
  readonly names: readonly string[];
  readonly profile: string;
  readonly expiresAtMs: number;
  readonly authorizationIds: readonly string[];
  /** Only while `processing`. */
  readonly retryAfterSeconds?: number;
  /** Only when `valid`: what to ask `certificate` for. */
  readonly certificateSerial?: string;
  /** Why issuing failed after finalize was accepted. */
  readonly problem?: ProblemDocument;
}

export interface DirectAuthorization {
  readonly id: string;
  readonly status: AuthorizationStatus;
  /** Without the asterisk of a wildcard. */
  readonly name: string;
  readonly isWildcard: boolean;
  readonly expiresAtMs: number;
  /** The TXT record to publish. */
  readonly recordName: string;
  readonly recordValue: string;
  /** Only when `invalid`. */
  readonly problem?: ProblemDocument;
}

export interface DirectCertificate {
  readonly serial: string;
  readonly names: readonly string[];
  /** For `renewalInfo` and `replaces` (RFC 9773 §4.1). */
  readonly certId: string;
  readonly der: Uint8Array;
  readonly issuerPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Leaf and issuer (RFC 8555 §9.1); made when asked for. */
  chainPem(): string;
}

export interface DirectRenewalInfo {
  readonly startMs: number;
  readonly endMs: number;
  readonly explanationUrl?: string;
  readonly retryAfterSeconds: number;
}

/** Every call rejects with `Problem` when the CA refuses and with `ConnectionCut` when a fault says so. */
export class DirectDoor {
  readonly accountUrl: string = '';

  newOrder(_wanted: DirectOrderRequest): Promise<DirectOrder> {
    return notYet();
  }

  order(_id: string): Promise<DirectOrder> {
    return notYet();
  }

  authorization(_id: string): Promise<DirectAuthorization> {
    return notYet();
  }

  /** Triggers dns-01; the outcome is seen by `authorization`. */
  trigger(_authorizationId: string): Promise<DirectAuthorization> {
    return notYet();
  }

  finalize(_orderId: string, _csrDer: Uint8Array): Promise<DirectOrder> {
    return notYet();
  }

  certificate(_serial: string): Promise<DirectCertificate> {
    return notYet();
  }

  renewalInfo(_certId: string): Promise<DirectRenewalInfo> {
    return notYet();
  }

  revoke(_serial: string, _reason?: number): Promise<void> {
    return notYet();
  }
}

function notYet(): Promise<never> {
  return Promise.reject(new Error('not yet'));
}
