import { generateKeyPairSync } from 'node:crypto';
import acme from 'acme-client';
import { expect, test } from 'vitest';
import { readSigningRequest } from './signing-request.ts';

async function request(options: { commonName?: string; altNames?: string[] }, key?: Buffer): Promise<Buffer> {
  const [, csr] = await acme.crypto.createCsr(options, key ?? (await acme.crypto.createPrivateEcdsaKey()));
  return Buffer.from(acme.crypto.getPemBodyAsB64u(csr), 'base64url');
}

function pemKey(kind: 'P-384' | 'P-521' | number): Buffer {
  const { privateKey } =
    typeof kind === 'number'
      ? generateKeyPairSync('rsa', { modulusLength: kind })
      : generateKeyPairSync('ec', { namedCurve: kind });
  return Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' }));
}

test('the names are those of subject and alternative names, in lower case, each once', async () => {
  const read = readSigningRequest(await request({ commonName: 'B.test', altNames: ['b.test', '*.A.test'] }));
  expect(read.names).toEqual(['*.a.test', 'b.test']);
  expect(read.keyKind).toBe('P-256');
});

test('P-384 and RSA of 2048 bits are accepted', async () => {
  expect(readSigningRequest(await request({ altNames: ['a.test'] }, pemKey('P-384'))).keyKind).toBe('P-384');
  expect(readSigningRequest(await request({ altNames: ['a.test'] }, pemKey(2048))).keyKind).toBe('RSA');
});

test('a weak key is refused', async () => {
  const weak = await request({ altNames: ['a.test'] }, pemKey(1024));
  expect(() => readSigningRequest(weak)).toThrow(/key size/);
});

test('a signature that is not the key’s is refused', async () => {
  const der = await request({ altNames: ['a.test'] });
  const at = der.indexOf('a.test');
  der.write('b', at);
  expect(() => readSigningRequest(der)).toThrow(/invalid signature/);
});

test('anything that is not exactly one request is refused', async () => {
  const der = await request({ altNames: ['a.test'] });
  const broken = [
    Buffer.alloc(0),
    Buffer.from('hello'),
    der.subarray(0, -1),
    Buffer.concat([der, Buffer.of(0)]),
    Buffer.from('3003020101', 'hex'),
  ];
  for (const bytes of broken) expect(() => readSigningRequest(bytes)).toThrow(/parsing|invalid/);
});

test('a flipped octet anywhere is refused, never a crash', async () => {
  const der = await request({ altNames: ['a.test'] });
  for (let at = 0; at < der.length; at += 1) {
    const flipped = Buffer.from(der);
    flipped[at] = (flipped[at] ?? 0) ^ 0x41;
    expect(() => readSigningRequest(flipped), `octet ${at}`).toThrow(expect.objectContaining({ name: 'Problem' }));
  }
});
