/** Asks a CA for a certificate's renewal information, and tells its failures apart. */
import { LanyardError, describeError } from '@lanyard/sdk/kernel';
import type { ErrorCode, Logger } from '@lanyard/sdk/kernel';
import type { Authority } from '../authority.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import type { RenewalAnswer } from './renewal-advice.ts';

/** What passes by itself; `stopped`: the connection to the CA is not open yet, or any more. */
const TEMPORARY: readonly ErrorCode[] = ['authority-unreachable', 'authority-rate-limited', 'stopped'];

export interface RenewalQuestion {
  readonly authority: Pick<Authority, 'renewalInfo'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Never throws. */
export async function askRenewal(
  { authority, log, signal }: RenewalQuestion,
  { deviceId, fingerprint, renewalId }: StoredCertificate,
): Promise<RenewalAnswer> {
  if (renewalId === undefined) return { kind: 'no-offer' };
  try {
    const info = await authority.renewalInfo(renewalId, signal);
    return info === undefined ? { kind: 'no-offer' } : { kind: 'said', info };
  } catch (error) {
    if (signal.aborted) return { kind: 'temporary' };
    const fields = { deviceId, fingerprint, reason: describeError(error) };
    if (LanyardError.is(error)) log.debug({ ...fields, code: error.code }, 'no renewal information');
    else log.error(fields, 'no renewal information, by a defect');
    return answerTo(error);
  }
}

function answerTo(error: unknown): RenewalAnswer {
  // RFC 9773 §4.3.3: any other status is a long-term error, like an object that makes no sense.
  if (!LanyardError.is(error) || !TEMPORARY.includes(error.code)) return { kind: 'malformed' };
  const { retryAfterMs } = error;
  return { kind: 'temporary', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
