/** Every way in which the broker can refuse or postpone something, as the appliance sees it. */

export interface ProblemKind {
  /** Whether the same request can succeed later without a change on the appliance. */
  readonly retryable: boolean;
  readonly meaning: string;
}

/** The closed list of problem codes. docs/protocol.md and docs/asyncapi.yaml show it; a test compares them. */
export const PROBLEMS = {
  'bad-request': { retryable: false, meaning: 'The body is not JSON, or a field is missing or wrong.' },
  'too-large': { retryable: false, meaning: 'The body or the signing request is larger than the limits allow.' },
  'unsupported-version': { retryable: false, meaning: 'The broker does not speak this version of the protocol.' },
  'appliance-disabled': { retryable: false, meaning: 'The operator has disabled this appliance.' },
  'csr-invalid': { retryable: false, meaning: 'The signing request is not strict DER or its signature is wrong.' },
  'weak-key': { retryable: false, meaning: 'The key of the signing request is not accepted; make a P-256 key.' },
  'key-reused': { retryable: false, meaning: 'The key of the signing request was seen before; make a new one.' },
  'name-mismatch': { retryable: false, meaning: 'The signing request does not ask for exactly the assigned names.' },
  busy: { retryable: true, meaning: 'Another request of this appliance is under way.' },
  'rate-limited': { retryable: true, meaning: 'Too many requests; wait before the next one.' },
  'validation-failed': { retryable: true, meaning: 'The CA could not verify the name; the broker tries again.' },
  'ca-unavailable': { retryable: true, meaning: 'The CA cannot be reached or asks to wait; the broker tries again.' },
  'ca-refused': { retryable: false, meaning: 'The CA refuses this name or request for good.' },
  internal: { retryable: true, meaning: 'The broker failed; the request was not lost and may be repeated.' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_CODES: readonly ProblemCode[] = Object.keys(PROBLEMS).filter(isProblemCode);

export function isProblemCode(value: string): value is ProblemCode {
  return Object.hasOwn(PROBLEMS, value);
}
