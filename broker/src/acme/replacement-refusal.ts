/** Whether a CA refused an order for what it was said to replace (RFC 9773 §5), or for something else. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { isObject, problemName } from './problems.ts';

/**
 * What an order is refused for whether it replaces anything or not. `alreadyReplaced` is the only type that RFC 9773 has
 * for the rest; Boulder also says `unauthorized` and `malformed`, others 400, 401 or 404 with whatever they find, so
 * that everything else may be meant. To be wrong costs one more order.
 */
const OTHER_REASONS: ReadonlySet<string> = new Set([
  'accountDoesNotExist',
  'badNonce',
  'badPublicKey',
  'badSignatureAlgorithm',
  'caa',
  'externalAccountRequired',
  'invalidProfile',
  'rateLimited',
  'rejectedIdentifier',
  'userActionRequired',
]);

/**
 * Pebble's words, with status 500, for a certificate that it did not issue, as after a restart. Of no other 500 can be
 * told that it is about the replacement: the CA is broken, and a plain order would only cost more.
 */
const UNKNOWN_CERTIFICATE = 'could not find an order for the given certificate';

/** The error that newOrder threw, to an order with `replaces`, as what it most likely means. */
export function replacementError(error: unknown): unknown {
  if (!LanyardError.is(error)) return error;
  if (error.code === 'authority-unreachable' && error.message.includes(UNKNOWN_CERTIFICATE)) return refusal(error);
  if (error.code !== 'authority-refused') return error;
  const { status, problem } = error.details;
  if (typeof status !== 'number' || status < 400 || status >= 500) return error;
  if (isObject(problem) && OTHER_REASONS.has(problemName(problem['type']))) return error;
  return refusal(error);
}

function refusal(error: LanyardError): LanyardError {
  const { message, details, retryAfterMs } = error;
  return new LanyardError('authority-replacement-refused', {
    message,
    details,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
