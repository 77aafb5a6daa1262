import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { CertificationRequest, Extensions, GeneralNames } from 'pkijs';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../protocol/limits.ts';
import { platformEngine, portableEngine } from './engine.ts';
import { makeIdentityRequest } from './identity-request.ts';
import { makeKeyPair } from './key-pair.ts';
import { makeSigningRequest } from './signing-request.ts';

const NAMES = ['xi8qzabcdefgh.devices.example.com', '*.xi8qzabcdefgh.devices.example.com'];

describe.each([
  ['the platform engine', () => Promise.resolve(platformEngine())],
  ['the portable engine', portableEngine],
])('%s', (_, makeEngine) => {
  test('signs a request that verifies, with exactly the names and an empty subject', async () => {
    const engine = await makeEngine();
    const { keyPem } = await makeKeyPair(engine);
    const der = await makeSigningRequest({ keyPem, names: NAMES }, engine);
    const request = CertificationRequest.fromBER(der);
    expect(await request.verify(platformEngine())).toBe(true);
    expect(request.subject.typesAndValues).toEqual([]);
    expect(request.signatureAlgorithm.algorithmId).toBe('1.2.840.10045.4.3.2');
    expect(requestedNames(request)).toEqual(NAMES);
  });

  test('signs an identity request that carries the device id', async () => {
    const engine = await makeEngine();
    const { keyPem } = await makeKeyPair(engine);
    const pem = await makeIdentityRequest({ keyPem, deviceId: 'camera-00042' }, engine);
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const request = CertificationRequest.fromBER(new Uint8Array(der));
    expect(await request.verify(platformEngine())).toBe(true);
    expect(request.subject.typesAndValues.map(({ value }) => value.valueBlock.value)).toEqual(['camera-00042']);
  });
});

test('OpenSSL accepts the signing request and finds the names in it', async () => {
  const { keyPem } = await makeKeyPair();
  const der = await makeSigningRequest({ keyPem, names: NAMES });
  const text = execFileSync('openssl', ['req', '-inform', 'DER', '-verify', '-noout', '-text'], {
    input: Buffer.from(der),
    stdio: ['pipe', 'pipe', 'ignore'],
  }).toString();
  expect(text).toContain(NAMES.map((name) => `DNS:${name}`).join(', '));
  expect(text).toMatch(/Subject: *\n/);
  expect(der.byteLength).toBeLessThan(500);
});

test('a request for no name or for too many is refused', async () => {
  const { keyPem } = await makeKeyPair();
  await expect(makeSigningRequest({ keyPem, names: [] })).rejects.toMatchObject({ code: 'csr-names' });
  const many = Array.from({ length: LIMITS.names + 1 }, (_, index) => `n${index}.example.com`);
  await expect(makeSigningRequest({ keyPem, names: many })).rejects.toMatchObject({ code: 'csr-names' });
});

test('a key of another kind is refused', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  const keyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await expect(makeSigningRequest({ keyPem, names: NAMES })).rejects.toMatchObject({ code: 'csr-weak-key' });
  await expect(makeSigningRequest({ keyPem: 'rubbish', names: NAMES })).rejects.toMatchObject({ code: 'csr-weak-key' });
});

test('an id that is no device id gets no identity request', async () => {
  const { keyPem } = await makeKeyPair();
  await expect(makeIdentityRequest({ keyPem, deviceId: 'a/+/#' })).rejects.toMatchObject({
    code: 'appliance-id-invalid',
  });
});

function requestedNames(request: CertificationRequest): readonly unknown[] {
  const [attribute, ...others] = request.attributes ?? [];
  expect(others).toEqual([]);
  expect(attribute?.type).toBe('1.2.840.113549.1.9.14');
  const { extensions } = new Extensions({ schema: attribute?.values[0] });
  expect(extensions.map(({ extnID }) => extnID)).toEqual(['2.5.29.17']);
  const { names } = GeneralNames.fromBER(extensions[0]!.extnValue.valueBlock.valueHexView);
  return names.map(({ type, value }) => (type === 2 ? value : `not a DNS name: ${type}`));
}
