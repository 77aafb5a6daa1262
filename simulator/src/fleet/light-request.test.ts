import { CertificationRequest, setEngine, CryptoEngine } from 'pkijs';
import { webcrypto } from 'node:crypto';
import { expect, test } from 'vitest';
import { identityRequest, makeLightKey, namesRequest } from './light-request.ts';

setEngine('node', new CryptoEngine({ name: 'node', crypto: webcrypto }));

test('the request for a certificate verifies and carries exactly its names', async () => {
  const key = makeLightKey();
  const names = [`${'a'.repeat(60)}.devices.lanyard.test`, `*.${'b'.repeat(60)}.devices.lanyard.test`];
  const parsed = CertificationRequest.fromBER(new Uint8Array(namesRequest(key, names)));

  expect(await parsed.verify()).toBe(true);
  expect(parsed.subject.typesAndValues).toHaveLength(0);
  const [attribute] = parsed.attributes ?? [];
  expect(attribute?.type).toBe('1.2.840.113549.1.9.14');
  for (const name of names) expect(Buffer.from(namesRequest(key, names)).includes(name)).toBe(true);
});

test('the request for an identity verifies and carries the device id as its common name', async () => {
  const pem = identityRequest(makeLightKey(), 'wall-00001-0a1b');
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\n/g, ''), 'base64');
  const parsed = CertificationRequest.fromBER(new Uint8Array(der));

  expect(await parsed.verify()).toBe(true);
  expect(parsed.subject.typesAndValues.map(({ type, value }) => [type, value.valueBlock.value])).toEqual([
    ['2.5.4.3', 'wall-00001-0a1b'],
  ]);
});
