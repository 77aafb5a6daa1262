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

/** The error that newOrder threw, to an order with `replaces`, as what it most likely means. */
export function replacementError(error: unknown): unknown {
  if (!LanyardError.is(error, 'authority-refused')) return error;
  const { message, details, retryAfterMs } = error;
  const { status, problem } = details;
  if (typeof status !== 'number' || status < 400 || status >= 500) return error;
  if (isObject(problem) && OTHER_REASONS.has(problemName(problem['type']))) return error;
  return new LanyardError('authority-replacement-refused', {
    message,
    details,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
