/** Dehydrated's account: `accounts/BASE64-OF-THE-DIRECTORY-URL/` with a PEM key and what the CA said about it. */
import { basename, join, resolve } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import { keyFromPem } from '../account-key.ts';
import { parseCaUrl } from '../ca-url.ts';
import type { AccountFolder, AccountFormat, FoundAccount, SharedAccount } from './account-format.ts';
import { urlAtHome } from './home-ca.ts';
import { isAbsent, parseAccountFile, readAccountFile } from './read-file.ts';

const KEY = 'account_key.pem';
const REGISTRATION = 'registration_info.json';
const ID = 'account_id.json';
/** Left by `dehydrated --deactivate`. */
const DEACTIVATED = 'deactivated';

export const dehydrated: AccountFormat = { keyFile: KEY, read, write };

async function read(directory: string, directoryUrl: string): Promise<FoundAccount> {
  if (!(await isAbsent(join(directory, DEACTIVATED)))) {
    throw new LanyardError('account-unusable', { message: `${directory}: dehydrated deactivated this account` });
  }
  const path = join(directory, KEY);
  const keyPem = keyFromPem(await readAccountFile(path), path);
  const namedAfter = caOf(basename(resolve(directory)));
  const url = urlAtHome({
    directory,
    directoryUrl,
    namedAfter,
    isNamedAfterIt: namedAfter === new URL(directoryUrl).href,
    url: await urlIn(join(directory, ID)),
  });
  return { keyPem, ...(url === undefined ? {} : { url }) };
}

/** Written by dehydrated from its first order on, not when the account is made. */
async function urlIn(path: string): Promise<unknown> {
  if (await isAbsent(path)) return undefined;
  return parseAccountFile(await readAccountFile(path), path)['url'];
}

function write({ directoryUrl, keyPem, url, contact }: SharedAccount): AccountFolder {
  return {
    path: join('accounts', folderOf(directoryUrl)),
    files: {
      [KEY]: keyPem,
      // Only its presence is asked for: without it dehydrated asks the CA again.
      [REGISTRATION]: `${JSON.stringify({ status: 'valid', contact })}\n`,
      [ID]: `${JSON.stringify({ url })}\n`,
    },
  };
}

/** By `echo URL | base64`: the newline is in it. */
function folderOf(directoryUrl: string): string {
  return Buffer.from(`${directoryUrl}\n`).toString('base64url');
}

function caOf(folder: string): string | undefined {
  return /^[A-Za-z0-9_-]+$/.test(folder)
    ? parseCaUrl(Buffer.from(folder, 'base64url').toString('utf8').trim())
    : undefined;
}
