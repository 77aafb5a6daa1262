/** The secrets of DNS cookies in their file: one or two lines, as NSD and Unbound keep them. */
import { LanyardError, randomHex, type Random } from '@lanyard/sdk/kernel';
import type { BrokerConfig } from './config.ts';
import { dataDirectory, readSecret, writeNew } from './data-directory.ts';
import { parseCookieSecret } from './dns/cookie.ts';
import { SIPHASH_KEY_BYTES } from './dns/siphash.ts';

/** RFC 9018 §5: the secret in use, and the one that comes next or was before. */
const MAX_SECRETS = 2;

/**
 * The first makes cookies, all of them are taken. A file in the data directory is made when there is none; one that
 * is named in the settings has to be there, as it is the other name servers' as well.
 * @throws LanyardError `config-unreadable` | `config-invalid`.
 */
export async function readCookieSecrets(
  { data, dns }: Pick<BrokerConfig, 'data' | 'dns'>,
  random: Random,
): Promise<readonly Uint8Array[]> {
  const path = dns.cookieSecretFile ?? dataDirectory(data).dnsCookieSecrets;
  if (dns.cookieSecretFile === undefined) await makeOnce(path, random);
  const lines = (await readSecret(path)).split('\n').map((line) => line.trim());
  const secrets = lines.filter((line) => line !== '').map(parseCookieSecret);
  const known = secrets.filter((secret) => secret !== undefined);
  if (known.length < secrets.length || known.length === 0 || known.length > MAX_SECRETS) {
    throw new LanyardError('config-invalid', { message: `${path}: one or two lines of 32 hexadecimal digits` });
  }
  return known;
}

async function makeOnce(path: string, random: Random): Promise<void> {
  try {
    await writeNew([{ path, text: `${randomHex(random, SIPHASH_KEY_BYTES)}\n`, mode: 0o600 }]);
  } catch (error) {
    if (!LanyardError.is(error, 'config-exists')) throw error;
  }
}
