import { X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LanyardError, systemRandom } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { readIssuedChain } from './issued-chain.ts';
import { readObservedCertificate } from './observed-certificate.ts';
import { createPrivateCa, PrivateCa } from './private-ca.ts';
import {
  bits,
  boolean,
  craftedSpki,
  dnsName,
  ECDSA_WITH_SHA256,
  element,
  integer,
  namesExtension,
  octets,
  oid,
  sequence,
  subjectOf,
} from './testing/crafted-request.ts';

const NOW_MS = Date.UTC(2026, 10, 22);
const world = { clock: new VirtualClock(NOW_MS), random: systemRandom };
const root = createPrivateCa('root', world);
const ca = new PrivateCa(root, world);
const { certificatePem: leaf } = await ca.issueServer(['a.devices.example', '*.a.devices.example']);

/** RFC 6962 §3.1: what tells a precertificate, critical and NULL. */
const POISON = sequence(oid('2b06010401d679020403'), boolean(0xff), octets(element(0x05)));
/** A key of a kind that nobody knows. */
const STRANGE_KEY = sequence(sequence(oid('2a0304')), bits(Buffer.from([1, 2, 3])));

interface Crafted {
  readonly extensions?: readonly Buffer[];
  readonly issuer?: Buffer;
  readonly subject?: Buffer;
  readonly spki?: Buffer;
}

/** Its signature is worth nothing: none is looked at. */
function craft({ extensions = [], issuer, subject, spki }: Crafted): string {
  const info = sequence(
    element(0xa0, integer(2)),
    integer(0x00, 0x87, 0x65),
    ECDSA_WITH_SHA256,
    issuer ?? subjectOf('Some CA'),
    sequence(element(0x17, Buffer.from('261122000000Z')), element(0x17, Buffer.from('270220000000Z'))),
    subject ?? subjectOf(),
    spki ?? craftedSpki,
    ...(extensions.length === 0 ? [] : [element(0xa3, sequence(...extensions))]),
  );
  return pem(sequence(info, ECDSA_WITH_SHA256, bits(sequence(integer(1), integer(1)))));
}

function pem(bytes: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

function named(...names: readonly string[]): string {
  return craft({ extensions: [namesExtension(...names.map(dnsName))] });
}

describe('what was observed', () => {
  test('is read as what the CA hands out is, so that the two can be compared', () => {
    const { fingerprint, keyHash, names, serial, notBeforeMs, notAfterMs } = readIssuedChain(leaf);
    const expected = { fingerprint, keyHash, names, serial, notBeforeMs, notAfterMs, issuer: 'CN=root' };
    expect(readObservedCertificate(leaf)).toEqual(expected);
  });

  test('is the first of a chain, whatever stands around', () => {
    const text = `Certificate:\r\n  junk\r\n${leaf}${root.certificatePem}`;
    expect(readObservedCertificate(text)).toEqual(readObservedCertificate(leaf));
  });

  test('may be a precertificate', () => {
    const extensions = [namesExtension(dnsName('A.Devices.example')), POISON];
    expect(readObservedCertificate(craft({ extensions }))).toMatchObject({
      names: ['a.devices.example'],
      serial: '8765',
      issuer: 'CN=Some CA',
    });
  });

  test('may have a key of any kind', () => {
    const extensions = [namesExtension(dnsName('a.devices.example'))];
    const { keyHash, names } = readObservedCertificate(craft({ extensions, spki: STRANGE_KEY }));
    expect(names).toEqual(['a.devices.example']);
    expect(keyHash).toMatch(/^[0-9a-f]{64}$/);
    expect(keyHash).not.toBe(readObservedCertificate(craft({ extensions })).keyHash);
  });

  test('has its common name among its names', () => {
    const subject = subjectOf('Smith & Sons Ltd.', 'A.devices.example');
    expect(readObservedCertificate(craft({ subject })).names).toEqual(['a.devices.example']);
  });

  test('may be for addresses and people beside names', () => {
    const others = [element(0x87, Buffer.from([10, 1, 1, 4])), element(0x81, Buffer.from('a@example.com'))];
    const extensions = [namesExtension(...others, dnsName('a.example'))];
    expect(readObservedCertificate(craft({ extensions })).names).toEqual(['a.example']);
  });

  test.each([
    ['under_score.devices.example', 'under_score.devices.example'],
    ['a.devices.example.', 'a.devices.example'],
    ['a.devices.example, DNS:b.example', 'a.devices.example, dns:b.example'],
    ['\u001b[2J.devices.example', '?[2j.devices.example'],
    ['a\u0000.devices.example', 'a?.devices.example'],
  ])('keeps the name %j, fit to be shown', (name, shown) => {
    expect(readObservedCertificate(named(name)).names).toEqual([shown]);
  });

  test('shows an issuer in one line that does no harm', () => {
    const { issuer } = readObservedCertificate(craft({ issuer: subjectOf(`\u001b[31m${'x'.repeat(500)}`, 'b') }));
    expect(issuer).toMatch(/^[\x20-\x7e]{1,200}$/);
  });
});

describe('nonsense', () => {
  const der = new X509Certificate(leaf).raw;
  const wrong: Readonly<Record<string, string>> = {
    nothing: '',
    'a page of HTML': '<html></html>',
    DER: Buffer.from(der).toString('latin1'),
    'a private key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    'a certificate that is cut short': pem(der.subarray(0, -9)),
    'a beginning without an end': leaf.slice(0, 200),
    'alternative names that are none': craft({ extensions: [sequence(oid('551d11'), octets(integer(1)))] }),
    'a name without an end': named('a'.repeat(400)),
    'more than 64 KiB': ' '.repeat(65_537) + leaf,
  };

  test.each(Object.entries(wrong))('%s is refused', (_, text) => {
    expect(() => readObservedCertificate(text)).toThrow(expect.objectContaining({ code: 'certificate-unreadable' }));
  });

  test('nested without end is refused', () => {
    let nested = integer(1);
    for (let depth = 0; depth < 5_000; depth += 1) nested = sequence(nested);
    expect(outcomeOf(pem(nested))).toBe('refused');
    expect(outcomeOf(craft({ extensions: [sequence(oid('551d11'), octets(nested))] }))).toBe('refused');
  });

  test('changed bytes are read or refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(der);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(outcomeOf(pem(bytes))).toMatch(/^(read|refused)$/);
      }),
      { numRuns: 300 },
    );
  });
});

function outcomeOf(text: string): string {
  try {
    readObservedCertificate(text);
    return 'read';
  } catch (error) {
    return LanyardError.is(error, 'certificate-unreadable') ? 'refused' : String(error);
  }
}
