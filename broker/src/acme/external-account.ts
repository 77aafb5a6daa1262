/** What ties an account at a CA to a customer of that CA (RFC 8555 §7.3.4). */
import { LanyardError } from '@lanyard/sdk/kernel';

export interface ExternalAccount {
  /** How the CA calls the customer's key. */
  readonly kid: string;
  /** Base64url, as the CA gave it. Never logged. */
  readonly hmacKey: string;
}

/** RFC 8555 §7.3.4 has CAs hand it out in base64url; some write plain base64, or pad it. */
const ENCODED = /^[A-Za-z0-9_+/-]+={0,2}$/;

/**
 * @param text what the file at `path` holds.
 * @throws LanyardError `config-invalid`; never with the key in it.
 */
export function readExternalAccount(kid: string, text: string, path: string): ExternalAccount {
  const hmacKey = text.trim();
  if (ENCODED.test(hmacKey)) return { kid, hmacKey };
  const message = `acme.externalAccount.hmacKeyFile: ${path} holds something else than one key in base64url`;
  throw new LanyardError('config-invalid', { message });
}
