/** Port: what the admin API can do, in the words of its answers. */
import type { RevocationRequest } from '../certificates/replacement.ts';

export interface Registry {
  /** @throws LanyardError `appliance-exists` | `csr-invalid` | `csr-weak-key` | `csr-key-refused` | `admin-request-invalid`. */
  enrol(request: EnrolRequest): Promise<EnrolledView>;
  list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<ApplianceList>;
  /** @throws LanyardError `appliance-unknown`. */
  show(deviceId: string): Promise<ApplianceView>;
  /** Asks for a new certificate now. @throws LanyardError `appliance-unknown`. */
  renew(deviceId: string): Promise<ApplianceView>;
  /**
   * Revokes its certificate at the CA and asks for a new one.
   * @throws LanyardError `appliance-unknown` | `certificate-missing` | `revocation-unsigned`, or why the CA did not.
   */
  revoke(deviceId: string, request: RevocationRequest): Promise<ApplianceView>;
  /** Has every certificate that is alive replaced, evenly within that time. */
  replaceAll(wish: ReplacementWish): Promise<ReplacementView>;
}

export interface ReplacementWish {
  readonly withinSeconds: number;
  /** Only says how many there are. */
  readonly isDryRun: boolean;
}

export interface ReplacementView {
  readonly certificates: number;
  /** How many of the appliances are connected, and so hear of it at once; absent in a dry run. */
  readonly connected?: number;
}

export interface EnrolRequest {
  readonly deviceId: string;
  readonly csr?: string | undefined;
  readonly publicKey?: string | undefined;
}

export interface EnrolledView {
  readonly deviceId: string;
  readonly name: string;
  /** PEM of the identity certificate, for the appliance's `identity.crt`. */
  readonly identityCertificate: string;
  /** PEM of the private root that the broker's own certificate comes from, for `broker-root.crt`. */
  readonly brokerRoot: string;
}

export interface ApplianceList {
  readonly total: number;
  readonly appliances: readonly ApplianceView[];
}

/** Times in ISO 8601. */
export interface ApplianceView {
  readonly deviceId: string;
  readonly name: string;
  readonly status: 'active' | 'disabled';
  readonly isConnected: boolean;
  readonly published: readonly string[];
  readonly enrolledAt: string;
  readonly lastSeenAt?: string;
  readonly firmware?: { readonly sdk: string; readonly version?: string; readonly model?: string };
  readonly rebinding?: 'ok' | 'blocked' | 'unknown';
  readonly certificate?: CertificateView;
  /** The order under way; why it waits and until when. */
  readonly order?: OrderView;
  readonly addressHistory?: readonly { readonly address: string; readonly from: string; readonly until?: string }[];
}

export interface CertificateView {
  /** Directory URL of the CA that issued it; absent for certificates of versions before 0.2. */
  readonly ca?: string;
  readonly fingerprint: string;
  readonly serial: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly renewAt: string;
  /** When its CA wants it renewed, and a page that says why. */
  readonly renewalWindow?: { readonly start: string; readonly end: string };
  readonly explanationUrl?: string;
  /** When it is renewed in the appliance's absence, should that last. */
  readonly unattendedAt?: string;
  /** It was itself ordered in the appliance's absence, which had lasted since then. */
  readonly asleepSince?: string;
  readonly revoked?: { readonly reason: string; readonly at: string };
  readonly installedAt?: string;
}

/** Why an order is not going on at this moment, and until when as far as can be told. */
export interface WaitView {
  /** For its own next try; for a CA that is away or busy; for a limit of the CA; for its turn. */
  readonly what: 'pause' | 'authority' | 'budget' | 'turn';
  readonly until?: string;
  /** How many orders of the same urgency and zone go before it. */
  readonly ahead?: number;
  readonly limit?: string;
  /** Directory URL of the CA whose limit it is. */
  readonly ca?: string;
  /** What the limit counts by: a registered domain or names. */
  readonly subject?: string;
}

export interface OrderView {
  readonly id: string;
  readonly state: string;
  /** Directory URL of the CA that it was placed at; absent while it waits for its turn. */
  readonly ca?: string;
  readonly requestedAt: string;
  readonly failures: number;
  /** It was opened in the appliance's absence, which had lasted since then. */
  readonly asleepSince?: string;
  readonly nextTryAt?: string;
  /** Absent while the order is under way. */
  readonly waitsFor?: WaitView;
  readonly lastFailure?: { readonly code: string; readonly message: string; readonly at: string };
}
