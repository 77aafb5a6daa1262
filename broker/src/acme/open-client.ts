/** A client of acme-client whose account key is parsed once. */
import { createPrivateKey } from 'node:crypto';
import { Client } from 'acme-client';
import type { ClientOptions } from 'acme-client';

/**
 * acme-client hands the account's key to OpenSSL as PEM for every signature. A key object takes half the time, and whatever
 * else acme-client does with the key takes one as well. Its type does not know the field, so that a version without it
 * signs as slowly as before.
 */
export function openClient(options: ClientOptions & { readonly accountKey: string }): Client {
  const client = new Client(options);
  const http: unknown = Reflect.get(client, 'http');
  if (typeof http === 'object' && http !== null && 'accountKey' in http) {
    Object.assign(http, { accountKey: createPrivateKey(options.accountKey) });
  }
  return client;
}
