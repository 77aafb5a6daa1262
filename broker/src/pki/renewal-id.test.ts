import { X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { createPrivateCa, PrivateCa } from './private-ca.ts';
import { renewalIdOf } from './renewal-id.ts';
import {
  bits,
  boolean,
  craftedSpki,
  ECDSA_WITH_SHA256,
  element,
  integer,
  octets,
  oid,
  sequence,
  subjectOf,
} from './testing/crafted-request.ts';
import { hasOpenssl, openssl } from './testing/openssl.ts';

/** RFC 9773 appendix A. */
const EXAMPLE = Buffer.from(
  'MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt' +
    'cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS' +
    'BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu' +
    '7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf' +
    'qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B' +
    'yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb' +
    '+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK',
  'base64',
);
const EXAMPLE_ID = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE';

const KEY_ID = Buffer.from('69885b6b87464041e1b37b847ba0ae2cde01c8d4', 'hex');
const AUTHORITY_KEY_IDENTIFIER = oid('551d23');
const SERIAL = integer(0x00, 0x87, 0x65, 0x43, 0x21);

interface Crafted {
  readonly version?: readonly Buffer[];
  readonly serial?: Buffer;
  readonly beginning?: Buffer;
  /** The whole list; the identifier of the example when left out. */
  readonly extensions?: readonly Buffer[];
}

function craft(crafted: Crafted = {}): Buffer {
  const { version = [element(0xa0, integer(2))], serial = SERIAL, beginning = utcTime('261122000000Z') } = crafted;
  const extensions = crafted.extensions ?? [extension(identifierOf(KEY_ID))];
  const info = sequence(
    ...version,
    serial,
    ECDSA_WITH_SHA256,
    subjectOf('a CA'),
    sequence(beginning, element(0x18, Buffer.from('20500101000000Z'))),
    subjectOf(),
    craftedSpki,
    ...(extensions.length === 0 ? [] : [element(0xa3, sequence(...extensions))]),
  );
  return sequence(info, ECDSA_WITH_SHA256, bits(sequence(integer(1), integer(1))));
}

function utcTime(text: string): Buffer {
  return element(0x17, Buffer.from(text));
}

function extension(value: Buffer, id = AUTHORITY_KEY_IDENTIFIER): Buffer {
  return sequence(id, octets(value));
}

function identifierOf(keyIdentifier: Uint8Array, ...more: readonly Buffer[]): Buffer {
  return sequence(element(0x80, keyIdentifier), ...more);
}

/** The two other members of the extension, which some CAs also write. */
const issuerAndSerial = [element(0xa1, element(0xa4, subjectOf('a root'))), element(0x82, Buffer.from([7]))];

describe('what a certificate is called', () => {
  test('is that of RFC 9773 §4.1', () => {
    expect(renewalIdOf(EXAMPLE)).toBe(EXAMPLE_ID);
  });

  test.each<[what: string, crafted: Crafted]>([
    ['made as the example', {}],
    [
      'with issuer and serial number beside the key',
      { extensions: [extension(identifierOf(KEY_ID, ...issuerAndSerial))] },
    ],
    [
      'with another extension before',
      { extensions: [extension(Buffer.alloc(3), oid('551d0f')), extension(identifierOf(KEY_ID))] },
    ],
    [
      'whose extension is marked critical',
      { extensions: [sequence(AUTHORITY_KEY_IDENTIFIER, boolean(0xff), octets(identifierOf(KEY_ID)))] },
    ],
  ])('is the same for one %s', (_, crafted) => {
    expect(renewalIdOf(craft(crafted))).toBe(EXAMPLE_ID);
  });

  test('gives back every serial, positive as it is, and every key identifier', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 159n - 1n }), bytes, (number, keyIdentifier) => {
        const digits = number.toString(16);
        const magnitude = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
        const isHigh = (magnitude[0] ?? 0) >= 0x80;
        const serial = integer(...(isHigh ? [0, ...magnitude] : magnitude));
        const id = renewalIdOf(craft({ serial, extensions: [extension(identifierOf(keyIdentifier))] }));
        const [key = '', written = ''] = id?.split('.') ?? [];
        const back = Buffer.from(written, 'base64url');
        expect(Buffer.from(key, 'base64url')).toEqual(Buffer.from(keyIdentifier));
        expect([back[0]! < 0x80, BigInt(`0x${back.toString('hex')}`)]).toEqual([true, number]);
        expect(id).toMatch(/^[\w-]+\.[\w-]+$/);
      }),
    );
  });

  test.skipIf(!hasOpenssl)('has the key identifier and the serial that OpenSSL sees', async () => {
    const world = { clock: new VirtualClock(Date.UTC(2026, 10, 22)), random: systemRandom };
    const { certificatePem } = await new PrivateCa(createPrivateCa('root', world), world).issueServer(['a.example']);
    const [key = '', serial = ''] = renewalIdOf(new X509Certificate(certificatePem).raw)?.split('.') ?? [];
    const { output } = openssl(certificatePem, 'x509', '-noout', '-serial', '-ext', 'authorityKeyIdentifier');
    const seen = output.replaceAll(/[:\s]/g, '').toLowerCase();
    expect(seen).toContain(Buffer.from(key, 'base64url').toString('hex'));
    expect(seen).toContain(`serial=${Buffer.from(serial, 'base64url').toString('hex')}`);
  });
});

describe('a certificate without a name', () => {
  test.each<[what: string, der: Uint8Array]>([
    ['nothing at all', Buffer.alloc(0)],
    ['no extensions', craft({ extensions: [] })],
    ['no version, which is that of 1988', craft({ version: [] })],
    ['another extension only', craft({ extensions: [extension(identifierOf(KEY_ID), oid('551d0e'))] })],
    ['issuer and serial number without the key', craft({ extensions: [extension(sequence(...issuerAndSerial))] })],
    ['an empty identifier', craft({ extensions: [extension(identifierOf(Buffer.alloc(0)))] })],
    ['an identifier beyond every hash', craft({ extensions: [extension(identifierOf(Buffer.alloc(65, 1)))] })],
    ['a serial of 70 octets', craft({ serial: integer(...Buffer.alloc(70, 1)) })],
    ['the extension twice', craft({ extensions: [extension(identifierOf(KEY_ID)), extension(identifierOf(KEY_ID))] })],
    ['something else in the extension', craft({ extensions: [extension(octets(KEY_ID))] })],
    ['no DER in the extension', craft({ extensions: [extension(KEY_ID)] })],
    ['bytes after the identifier', craft({ extensions: [extension(Buffer.concat([identifierOf(KEY_ID), KEY_ID]))] })],
    ['a serial not in its shortest form', craft({ serial: integer(0, 0x17) })],
    ['a beginning without seconds', craft({ beginning: utcTime('2611220000Z') })],
    ['bytes after the end', Buffer.concat([EXAMPLE, Buffer.from([0])])],
    ['its end cut off', EXAMPLE.subarray(0, -1)],
  ])('has %s', (_, der) => {
    expect(renewalIdOf(der)).toBeUndefined();
  });

  test('is what changed bytes may leave, but never a crash', () => {
    fc.assert(
      fc.property(fc.nat(EXAMPLE.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(EXAMPLE);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(renewalIdOf(bytes) ?? EXAMPLE_ID).toMatch(/^[\w-]+\.[\w-]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});
