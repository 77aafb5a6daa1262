import { KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { openClient } from './open-client.ts';
import { KEYS, pemOf } from './test-account-keys.ts';

test('the key that signs is parsed already: acme-client still keeps it where we put it', () => {
  const client = openClient({ directoryUrl: 'https://ca.test/directory', accountKey: pemOf(KEYS.p256) });
  const http: object = Reflect.get(client, 'http');
  expect(Reflect.get(http, 'accountKey')).toBeInstanceOf(KeyObject);
});
