/** The secrets of DNS cookies in their file: one or two lines, as NSD and Unbound keep them. */
import { LanyardError, randomHex, type Random } from '@lanyard/sdk/kernel';
import type { BrokerConfig } from './config.ts';
import { dataDirectory, readSecret, writeNew } from './data-directory.ts';

/** RFC 9018 §5: the secret in use, and the one that comes next or was before. */
const MAX_SECRETS = 2;
/** RFC 9018 §4.4: a key of SipHash, 128 bits. */
const SECRET_BYTES = 16;
const SECRET = /^[0-9a-f]{32}$/i;

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
  const secrets = lines.filter((line) => line !== '');
  if (secrets.length === 0 || secrets.length > MAX_SECRETS || !secrets.every((secret) => SECRET.test(secret))) {
    throw new LanyardError('config-invalid', { message: `${path}: one or two lines of 32 hexadecimal digits` });
  }
  return secrets.map((secret) => new Uint8Array(Buffer.from(secret, 'hex')));
}

async function makeOnce(path: string, random: Random): Promise<void> {
  try {
    await writeNew([{ path, text: `${randomHex(random, SECRET_BYTES)}\n`, mode: 0o600 }]);
  } catch (error) {
    if (!LanyardError.is(error, 'config-exists')) throw error;
  }
}
