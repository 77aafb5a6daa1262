/** The one error class of Lanyard, and the closed list of its codes. */

/**
 * Every code with what it means and what to do about it. docs/errors.md shows this table; a test compares the two.
 * Codes that cross the wire are another list: `protocol/problems.ts`.
 */
export const ERRORS = {
  'option-invalid': 'An option given to the SDK or to `createBroker` is missing or wrong. The message names it.',
  'identity-unreadable':
    'The identity folder lacks its key, its certificate or the root, or they do not belong together.',
  'vault-unwritable': 'The vault could not be written. Check that the disk is not full or read-only; nothing was lost.',
  'vault-corrupt':
    'A file in the vault fails its checksum. It is set aside and the appliance asks for a new certificate.',
  'broker-unreachable': 'No connection to the broker. Tried again with growing, random pauses.',
  'broker-untrusted':
    'The broker’s certificate was not issued by the pinned root, or for another host. Nothing was sent.',
  'broker-refused': 'The broker refused this identity. Check that the appliance is enrolled and not disabled.',
  'broker-silent':
    'Connected, but `hello` is not answered: check the MQTT broker’s access rules and that the issuer runs.',
  'request-refused':
    'The broker refused or postponed a request. The message carries its problem code, `retryAfterMs` when it goes on.',
  'certificate-refused':
    'A certificate from the broker does not fit its key, its name, its dates or a trusted root. The old one stays.',
  'node-too-old': 'The broker needs Node 24.15 or later: earlier ones bundle an SQLite that can corrupt its log.',
  'config-invalid': 'The configuration file has a missing, unknown or wrong setting. The message names each.',
  'config-unreadable':
    'A file that the configuration needs cannot be read, or is readable by others. Run `lanyard init`, or chmod 600.',
  'config-exists': '`lanyard init` found files of an earlier init and changed nothing.',
  'store-failed': 'The database refused an operation. The request was not accepted and can be repeated.',
  'listener-failed':
    'An address could not be listened on. The message says which; choose another port or end its owner.',
  'dns-serving-failed': 'The DNS thread or a secondary did not confirm a change in time. The order is tried again.',
  'dns-record-refused':
    'A DNS record does not fit: its name is outside the zones or belongs to the zone itself, or its data is malformed.',
  'csr-invalid': 'A signing request is not strict DER, or its signature does not verify.',
  'csr-weak-key': 'The key of a signing request is not one that is accepted (P-256 by default).',
  'csr-names': 'A signing request asks for other names than the appliance’s own.',
  'csr-key-reused': 'The key of a signing request was seen before. Make a new one.',
  'csr-key-refused': 'The key is on the broker’s list of refused keys. Make a new one.',
  'order-busy': 'Another request of this appliance is at the CA. Repeat this one when it is done.',
  'appliance-unknown': 'No appliance of that id is enrolled.',
  'appliance-exists': 'An appliance of that id is already enrolled with another key.',
  'appliance-id-invalid': 'An appliance id is 8 to 64 of a-z, 0-9 and hyphen.',
  'certificate-missing': 'The appliance has no certificate, or got another one at this very moment.',
  'certificate-unreadable': 'What was observed is not an X.509 certificate in PEM, or is malformed.',
  'foreign-certificate-unknown': 'No certificate of that fingerprint is among the foreign ones.',
  'acme-dns-off': 'The acme-dns API is not served. Set `acmeDns.register` to `closed` at least.',
  'acme-dns-full': 'There are as many acme-dns accounts as `acmeDns.mostAccounts` allows.',
  'acme-dns-account-unknown': 'No acme-dns account has that label.',
  'account-unusable':
    'An ACME account cannot be imported, exported or changed. The message names the file or the reason; nothing changed.',
  'authority-unreachable': 'The CA did not answer. Tried again later.',
  'authority-rate-limited': 'The CA asked to wait. Tried again when it said.',
  'authority-refused': 'The CA refused the request for good. The message carries its reason.',
  'authority-replacement-refused':
    'The CA does not take the order as a replacement (RFC 9773). It is ordered as an ordinary renewal at once.',
  'authority-rejected-name': 'The CA does not issue for this name (policy or CAA).',
  'authority-validation-failed': 'The CA could not verify the challenge. The message carries what it saw.',
  'authority-order-lost': 'The CA no longer knows the order. A new one is made.',
  'authority-protocol': 'The CA’s answer makes no sense under RFC 8555. Tried again later.',
  'authority-not-configured': 'The certificate is from a CA that is not in the settings any more.',
  'authority-nonce-refused': 'The CA did not take the nonce of a request that only an appliance can sign anew.',
  'revocation-unsigned': 'The appliance did not sign the revocation of its certificate. The message says why.',
  'admin-unauthorized': 'The admin token is missing or wrong.',
  'admin-unreachable': 'No broker answers at the admin address. Is `lanyard serve` running?',
  'broker-running': 'Something answers at the admin address, so that a broker may run. Stop it first.',
  'examination-failed': '`lanyard doctor` found errors. Its output says of each what is wrong, and how to mend it.',
  'admin-request-invalid': 'The admin request has a wrong or missing field. The message names it.',
  stopped: 'The operation was abandoned because the process is stopping. It resumes at the next start.',
  internal: 'A defect of Lanyard. Please report it with the log around it.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface LanyardErrorOptions {
  /** What failed, in this case, for a person to read. The table's text when omitted. */
  readonly message?: string;
  readonly cause?: unknown;
  /** When it makes sense to try again, from now. */
  readonly retryAfterMs?: number;
  /** Further facts for logs and problem documents; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class LanyardError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, options: LanyardErrorOptions = {}) {
    super(options.message ?? ERRORS[code], 'cause' in options ? { cause: options.cause } : {});
    this.name = 'LanyardError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
  }

  /** The same error from somebody who knows when it is tried again. */
  retriedAfter(retryAfterMs: number): LanyardError {
    const { code, message, details } = this;
    return new LanyardError(code, { message, details, retryAfterMs, ...('cause' in this && { cause: this.cause }) });
  }

  static is(error: unknown, code?: ErrorCode): error is LanyardError {
    return error instanceof LanyardError && (code === undefined || error.code === code);
  }
}

/** Longer chains of causes are cut: an error can be its own cause. */
const MOST_CAUSES = 8;

/** What to print of anything that was thrown. */
export function describeError(error: unknown, mostCauses = MOST_CAUSES): string {
  if (!(error instanceof Error)) return String(error);
  // Node throws these without a message of their own, for a host with several addresses.
  const [first] = error instanceof AggregateError ? error.errors : [];
  const message = error.message || (first instanceof Error && first.message) || error.name;
  if (!(error.cause instanceof Error) || mostCauses <= 0) return message;
  const why = describeError(error.cause, mostCauses - 1);
  // Who wrapped it has often quoted it already.
  return message.endsWith(why) ? message : `${message}: ${why}`;
}
