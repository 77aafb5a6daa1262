import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { KeyMaker } from '@lanyard/sdk';
import type { Breach } from './invariant.ts';
import { keysStay } from './keys-stay.ts';
import { objectors, watchedRun } from './test-run.ts';

test('an SDK that packs its key into the signing request', async () => {
  const outcome = await watchedRun({
    for: '1d',
    crypto: (sound) => ({ ...sound, ...(sound.keys && { keys: leaky(sound.keys) }) }),
  });
  expect(objectors(outcome)).toEqual(['keys-stay']);
  expect(outcome.total).toBe(5);
  expect(outcome.shown[0]?.detail).toBe('a private key is in its csr');
});

describe('a real key', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const body = pem.replaceAll(/-----.*-----|\n/g, '');

  test.each([
    ['PEM', JSON.stringify({ model: pem })],
    ['SEC 1 PEM', JSON.stringify({ model: privateKey.export({ type: 'sec1', format: 'pem' }) })],
    ['the body of a PEM', JSON.stringify({ model: body })],
    ['DER in base64url', JSON.stringify({ model: der.toString('base64url') })],
    ['DER in hexadecimal', JSON.stringify({ model: der.toString('hex') })],
    ['PEM in base64', JSON.stringify({ model: Buffer.from(pem).toString('base64') })],
    ['DER after one byte', JSON.stringify({ model: Buffer.concat([Buffer.from('x'), der]).toString('base64') })],
    ['DER after two bytes', JSON.stringify({ model: Buffer.concat([Buffer.from('xy'), der]).toString('base64') })],
  ])('is found as %s', (_, text) => {
    expect(isCaught(text)).toBe(true);
  });

  test('the public half is no secret', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const text = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(isCaught(text)).toBe(false);
    expect(isCaught(Buffer.from(text).toString('base64'))).toBe(false);
  });
});

function leaky(keys: KeyMaker): KeyMaker {
  return {
    ...keys,
    makeSigningRequest: async (request) =>
      Buffer.concat([await keys.makeSigningRequest(request), Buffer.from(request.keyPem)]),
  };
}

function isCaught(text: string): boolean {
  const breaches: Breach[] = [];
  const invariant = keysStay({ violate: (breach) => void breaches.push(breach) });
  invariant.onUp?.({ atMs: 0, appliance: 0, kind: 'hello', payload: Buffer.from(text) });
  return breaches.length > 0;
}
