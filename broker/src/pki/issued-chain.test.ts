import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LanyardError, systemRandom } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { readIssuedChain } from './issued-chain.ts';
import { createPrivateCa, PrivateCa } from './private-ca.ts';
import { renewalIdOf } from './renewal-id.ts';

const NOW_MS = Date.UTC(2026, 10, 22);
const world = { clock: new VirtualClock(NOW_MS), random: systemRandom };
const root = createPrivateCa('root', world);
const ca = new PrivateCa(root, world);
const { certificatePem: leaf, keyPem } = await ca.issueServer(['a.devices.example', '*.a.devices.example']);

describe('a chain', () => {
  test('tells what the store and the appliance need to know of the leaf', () => {
    const certificate = new X509Certificate(leaf);
    expect(readIssuedChain(`${leaf}${root.certificatePem}`)).toEqual({
      fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
      keyHash: createHash('sha256')
        .update(certificate.publicKey.export({ format: 'der', type: 'spki' }))
        .digest('hex'),
      names: ['a.devices.example', '*.a.devices.example'],
      serial: certificate.serialNumber.toLowerCase(),
      renewalId: renewalIdOf(certificate.raw),
      notBeforeMs: NOW_MS - 86_400_000,
      notAfterMs: certificate.validToDate.getTime(),
    });
  });

  test('may have Windows line ends and blank lines between', () => {
    const text = `${leaf}\n\n${root.certificatePem}`.replaceAll('\n', '\r\n');
    expect(readIssuedChain(text)).toEqual(readIssuedChain(leaf));
  });
});

describe('nonsense', () => {
  const stranger = createPrivateCa('root', world).certificatePem;
  const der = new X509Certificate(leaf).raw;
  const wrong: Readonly<Record<string, string>> = {
    'an empty answer': '',
    'a page of HTML': '<html><body>502 Bad Gateway</body></html>',
    'a private key among the certificates': `${leaf}${keyPem}${root.certificatePem}`,
    'a public key': generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ format: 'pem', type: 'spki' })
      .toString(),
    'a certificate that is cut short': pem(der.subarray(0, -9)),
    'a begin without an end': `${leaf}-----BEGIN CERTIFICATE-----`,
    'an issuer that did not sign it': `${leaf}${stranger}`,
    'the root first': `${root.certificatePem}${leaf}`,
    'nine certificates': `${leaf}${root.certificatePem.repeat(8)}`,
    'more than an appliance is sent': `${leaf}${' '.repeat(20_000)}`,
    'a leaf without a name': root.certificatePem,
  };

  test.each(Object.entries(wrong))('%s is refused', (_, text) => {
    expect(() => readIssuedChain(text)).toThrow(expect.objectContaining({ code: 'authority-protocol' }));
  });

  test('a certificate for an address is refused', async () => {
    const { certificatePem } = await ca.issueServer(['a.example', '10.1.1.4']);
    expect(() => readIssuedChain(certificatePem)).toThrow(/IP Address:10\.1\.1\.4/);
  });

  test('changed bytes are read or refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(der);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(outcomeOf(pem(bytes))).toMatch(/^(read|refused)$/);
      }),
      { numRuns: 1000 },
    );
  });
});

function outcomeOf(text: string): string {
  try {
    readIssuedChain(text);
    return 'read';
  } catch (error) {
    return LanyardError.is(error, 'authority-protocol') ? 'refused' : String(error);
  }
}

function pem(bytes: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes).toString('base64')}\n-----END CERTIFICATE-----\n`;
}
