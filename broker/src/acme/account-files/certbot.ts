/** Certbot's account: `accounts/HOST/PATH/MD5-OF-THE-KEY/` with a JWK, a URL and a note (certbot/_internal/account.py). */
import { createPrivateKey, createPublicKey, hash } from 'node:crypto';
import { join, resolve, sep } from 'node:path';
import { keyFromJwk } from '../account-key.ts';
import type { AccountFolder, AccountFormat, FoundAccount, SharedAccount } from './account-format.ts';
import { urlAtHome } from './home-ca.ts';
import { parseAccountFile, readAccountFile } from './read-file.ts';

const KEY = 'private_key.json';
const REGISTRATION = 'regr.json';

export const certbot: AccountFormat = { keyFile: KEY, read, write };

async function read(directory: string, directoryUrl: string): Promise<FoundAccount> {
  const path = join(directory, KEY);
  const keyPem = keyFromJwk(parseAccountFile(await readAccountFile(path), path), path);
  const registration = join(directory, REGISTRATION);
  const { uri } = parseAccountFile(await readAccountFile(registration), registration);
  const above = resolve(directory).split(sep).slice(0, -1);
  const wanted = serverPath(directoryUrl);
  const url = urlAtHome({
    directory,
    directoryUrl,
    namedAfter: undefined,
    isNamedAfterIt: above.slice(-wanted.length).join('/') === wanted.join('/'),
    url: uri,
  });
  return { keyPem, ...(url === undefined ? {} : { url }) };
}

function write({ directoryUrl, keyPem, url, nowMs }: SharedAccount): AccountFolder {
  // Without fractions of a second, which certbot's reader does not take.
  const creation_dt = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return {
    path: join('accounts', ...serverPath(directoryUrl), nameOf(keyPem)),
    files: {
      [KEY]: JSON.stringify(createPrivateKey(keyPem).export({ format: 'jwk' })),
      [REGISTRATION]: JSON.stringify({ body: {}, uri: url }),
      // The host is for certbot's list of accounts only.
      'meta.json': JSON.stringify({ creation_dt, creation_host: 'lanyard', register_to_eff: null }),
    },
  };
}

/** Host with port, then the path: `acme-v02.api.letsencrypt.org`, `directory`. */
function serverPath(directoryUrl: string): readonly string[] {
  const { host, pathname } = new URL(directoryUrl);
  return [host, ...pathname.split('/')].filter((part) => part !== '');
}

/** A name, not a protection: certbot chose MD5. */
function nameOf(keyPem: string): string {
  return hash('md5', createPublicKey(keyPem).export({ type: 'spki', format: 'pem' }), 'hex');
}
