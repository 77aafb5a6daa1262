/** A CA's directory (RFC 8555 §7.1.1): where everything is, and what it offers. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { parseCaUrl } from './ca-url.ts';
import { isObject } from './problems.ts';

export interface Directory {
  /** The document as the CA sent it, for acme-client; the URLs that it will use are checked. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Where renewal information begins (RFC 9773 §4.1), without a slash at its end; absent when the CA has none. */
  readonly renewalInfoUrl: string | undefined;
  /** Names of the certificate profiles (draft-ietf-acme-profiles); empty when the CA has none. */
  readonly profiles: readonly string[];
  readonly termsOfService: string | undefined;
}

/** Without these nothing can be ordered. */
const RESOURCES = ['newNonce', 'newAccount', 'newOrder'] as const;

/**
 * Checked before acme-client sees it, which would keep a maintenance page as its directory for a day.
 * @throws LanyardError `authority-protocol`
 */
export function parseDirectory(document: unknown): Directory {
  if (!isObject(document)) throw broken('no JSON object');
  for (const resource of RESOURCES) {
    if (parseCaUrl(document[resource]) === undefined) throw broken(`no https URL for ${resource}`);
  }
  const meta = document['meta'] ?? {};
  if (!isObject(meta)) throw broken('meta is no object');
  return {
    document,
    // Boulder and Pebble wrote a slash at its end while it was a draft.
    renewalInfoUrl: parseCaUrl(document['renewalInfo'])?.replace(/\/+$/, ''),
    profiles: isObject(meta['profiles']) ? Object.keys(meta['profiles']) : [],
    termsOfService: parseCaUrl(meta['termsOfService']),
  };
}

function broken(fault: string): LanyardError {
  return new LanyardError('authority-protocol', { message: `the CA's directory is unusable: ${fault}` });
}
