/** What the model CA refuses with: the error types of RFC 8555 §6.7 and their HTTP status. */

/** The registry of RFC 8555 §6.7, as far as it is used, with those of RFC 9773 and draft-ietf-acme-profiles. */
const STATUS_OF = {
  accountDoesNotExist: 400,
  // RFC 9773 §5.
  alreadyReplaced: 409,
  alreadyRevoked: 400,
  badCSR: 400,
  badNonce: 400,
  badPublicKey: 400,
  badRevocationReason: 400,
  badSignatureAlgorithm: 400,
  caa: 403,
  connection: 400,
  dns: 400,
  invalidContact: 400,
  invalidProfile: 400,
  malformed: 400,
  orderNotReady: 403,
  rateLimited: 429,
  rejectedIdentifier: 400,
  serverInternal: 500,
  unauthorized: 403,
  unsupportedContact: 400,
  unsupportedIdentifier: 400,
} as const;

export type ProblemType = keyof typeof STATUS_OF;

export interface ProblemOptions {
  /** When RFC 8555 or Boulder answer with another status than the type's usual one. */
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  /** Where the thing that is in the way lives, for instance the account that already uses a key. */
  readonly location?: string;
  readonly subproblems?: readonly ProblemDocument[];
  /** RFC 8555 §6.2: which algorithms would have been accepted. */
  readonly algorithms?: readonly string[];
}

/** RFC 7807 with the members that RFC 8555 §6.7 adds. */
export interface ProblemDocument {
  readonly type: string;
  readonly detail: string;
  readonly status?: number;
  readonly identifier?: { readonly type: 'dns'; readonly value: string };
  readonly algorithms?: readonly string[];
  readonly subproblems?: readonly ProblemDocument[];
}

/** A refusal on its way to the client. Not a `LanyardError`: those are ours, these belong to RFC 8555. */
export class Problem extends Error {
  readonly type: ProblemType;
  readonly status: number;
  readonly options: ProblemOptions;

  constructor(type: ProblemType, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.name = 'Problem';
    this.type = type;
    this.status = options.status ?? STATUS_OF[type];
    this.options = options;
  }

  document(): ProblemDocument {
    const { algorithms, subproblems } = this.options;
    return {
      type: problemUrn(this.type),
      detail: this.message,
      status: this.status,
      ...(algorithms === undefined ? {} : { algorithms }),
      ...(subproblems === undefined ? {} : { subproblems }),
    };
  }
}

export function problemUrn(type: ProblemType): string {
  return `urn:ietf:params:acme:error:${type}`;
}
