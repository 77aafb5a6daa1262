import { createHash, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import { readSigningRequest } from './signing-request.ts';
import {
  bits,
  boolean,
  craftedSpki,
  craftRequest,
  dnsName,
  ECDSA_WITH_SHA256,
  element,
  extensionsAttribute,
  integer,
  namesAttribute,
  namesExtension,
  octets,
  OID,
  oid,
  sequence,
  set,
  subjectOf,
  utf8,
} from './testing/crafted-request.ts';
import { hasOpenssl, openssl } from './testing/openssl.ts';

const NAME = 'a.devices.example';

describe('what is accepted', () => {
  test('names are read lower-cased and in their order, with the hash of the key', async () => {
    const der = craftRequest({ attributes: namesAttribute(dnsName('*.B.devices.EXAMPLE'), dnsName(NAME)) });
    const request = await readSigningRequest(der);
    expect(request.names).toEqual(['*.b.devices.example', NAME]);
    expect(request.keyHash).toBe(createHash('sha256').update(craftedSpki).digest('hex'));
    expect(Buffer.from(request.spki).equals(craftedSpki)).toBe(true);
  });

  test('a common name is accepted when it is one of the names, in any case', async () => {
    await expect(readSigningRequest(craftRequest({ subject: subjectOf('A.devices.example') }))).resolves.toBeDefined();
  });

  test('a subjectAltName may be critical, as it must be under an empty subject', async () => {
    const extension = sequence(oid(OID.subjectAltName), boolean(0xff), octets(sequence(dnsName(NAME))));
    const der = craftRequest({ attributes: extensionsAttribute(extension) });
    expect((await readSigningRequest(der)).names).toEqual([NAME]);
  });

  test('SHA-384 and SHA-512 sign as well as SHA-256', async () => {
    for (const [hash, last] of Object.entries({ sha384: '03', sha512: '04' })) {
      const algorithm = sequence(oid(`2a8648ce3d0403${last}`));
      await expect(readSigningRequest(craftRequest({ hash, algorithm }))).resolves.toBeDefined();
    }
  });

  test('the result does not change when the bytes that it was read from do', async () => {
    const der = craftRequest();
    const { spki } = await readSigningRequest(der);
    der.fill(0);
    expect(Buffer.from(spki).equals(craftedSpki)).toBe(true);
  });

  test.skipIf(!hasOpenssl)('OpenSSL accepts what is crafted here, and what OpenSSL makes is accepted', async () => {
    const crafted = openssl(craftRequest(), 'req', '-inform', 'DER', '-verify', '-noout');
    expect(crafted).toMatchObject({ isOk: true });
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
    const made = openssl('', 'req', '-new', ...newKey, '-subj', '/', '-addext', `subjectAltName=DNS:${NAME}`);
    const der = Buffer.from(/REQUEST-----([^-]+)-----END/.exec(made.output)?.[1] ?? '', 'base64');
    expect((await readSigningRequest(der)).names).toEqual([NAME]);
  });
});

describe('what is refused', () => {
  const good = namesExtension(dnsName(NAME));
  const constraints = sequence(oid(OID.basicConstraints), octets(sequence(boolean(0xff))));
  const mustStaple = sequence(oid('2b06010505070118'), octets(sequence(integer(5))));
  const password = sequence(oid(OID.challengePassword), set(utf8('secret')));
  const request = sequence(oid(OID.extensionRequest), set(sequence(good)));
  const long = [...Array(4).fill('x'.repeat(63)), 'example'].join('.');

  const invalid: Readonly<Record<string, Buffer>> = {
    'nothing at all': Buffer.alloc(0),
    text: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----'),
    'bytes after the end': Buffer.concat([craftRequest(), Buffer.from([0])]),
    'a request of two requests': Buffer.concat([craftRequest(), craftRequest()]),
    'a request that is cut short': craftRequest().subarray(0, -1),
    'more than four kilobytes': craftRequest({ subject: subjectOf('x'.repeat(4096)) }),
    'a fourth element': craftRequest({ extra: integer(0) }),
    'version 2': craftRequest({ version: integer(1) }),
    'a version in two bytes': craftRequest({ version: integer(0, 0) }),
    'an indefinite length': Buffer.concat([Buffer.from([0x30, 0x80]), craftRequest().subarray(3), Buffer.from([0, 0])]),
    'a length in a longer form': lengthened(craftRequest()),
    'a signature of another request': craftRequest({ signature: (real) => flipped(real, real.length - 1) }),
    'a signature that is empty': craftRequest({ signature: () => Buffer.alloc(0) }),
    'a signature of zeros': craftRequest({ signature: () => sequence(integer(0), integer(0)) }),
    'a signature with bytes after its end': craftRequest({
      signature: (real) => Buffer.concat([real, Buffer.from([0])]),
    }),
    'a signature of three numbers': craftRequest({ signature: (real) => sequence(real.subarray(2), integer(1)) }),
    'a negative number in the signature': craftRequest({ signature: () => sequence(integer(0xff), integer(1)) }),
    'a signature by SHA-1': craftRequest({ hash: 'sha1', algorithm: sequence(oid('2a8648ce3d0401')) }),
    'a signature by RSA': craftRequest({ algorithm: sequence(oid('2a864886f70d01010b'), element(0x05)) }),
    'an algorithm with parameters': craftRequest({ algorithm: sequence(oid('2a8648ce3d040302'), element(0x05)) }),
    'no attributes': craftRequest({ attributes: undefined }),
    'empty attributes': craftRequest({ attributes: element(0xa0) }),
    'a challenge password': craftRequest({ attributes: element(0xa0, password) }),
    'a challenge password beside the names': craftRequest({ attributes: element(0xa0, password, request) }),
    'the extensions twice': craftRequest({ attributes: element(0xa0, request, request) }),
    'two lists of extensions': craftRequest({
      attributes: element(0xa0, sequence(oid(OID.extensionRequest), set(sequence(good), sequence(good)))),
    }),
    'an empty list of extensions': extensions(),
    'basic constraints': extensions(constraints),
    'basic constraints beside the names': extensions(good, constraints),
    'must-staple beside the names': extensions(good, mustStaple),
    'the names twice': extensions(good, good),
    'an explicit default': extensions(sequence(oid(OID.subjectAltName), boolean(0), octets(sequence(dnsName(NAME))))),
    'an extension without a value': extensions(sequence(oid(OID.subjectAltName))),
    'an extension with two values': extensions(
      sequence(oid(OID.subjectAltName), octets(sequence(dnsName(NAME))), octets(sequence())),
    ),
    'no name': names(),
    'nine names': names(...Array.from({ length: 9 }, (_, index) => dnsName(`n${index}.devices.example`))),
    'an address': names(element(0x87, Buffer.from([10, 1, 1, 4]))),
    'an address beside a name': names(dnsName(NAME), element(0x87, Buffer.from([10, 1, 1, 4]))),
    'a mail address': names(element(0x81, Buffer.from('a@devices.example'))),
    'a URI': names(element(0x86, Buffer.from('https://a.devices.example'))),
    'a name twice': names(dnsName(NAME), dnsName(NAME)),
    'a name twice in different case': names(dnsName(NAME), dnsName('A.devices.example')),
    'an empty name': names(dnsName('')),
    'a NUL in a name': names(dnsName('a.devices.example\0.evil.example')),
    'a dot at the end': names(dnsName('a.devices.example.')),
    'a dot at the start': names(dnsName('.devices.example')),
    'an empty label': names(dnsName('a..example')),
    'an underscore': names(dnsName('_acme-challenge.a.example')),
    'a U-label': names(dnsName('bücher.example')),
    'a Kelvin sign, which lower-cases to k': names(element(0x82, Buffer.from('\u212A.example'))),
    'a space': names(dnsName('a .example')),
    'a new line': names(dnsName('a.example\n')),
    'a hyphen at the start of a label': names(dnsName('-a.example')),
    'a hyphen at the end of a label': names(dnsName('a-.example')),
    'a wildcard in the middle': names(dnsName('a.*.example')),
    'a partial wildcard': names(dnsName('a*.example')),
    'two wildcards': names(dnsName('*.*.example')),
    'a wildcard alone': names(dnsName('*')),
    'a wildcard of nothing': names(dnsName('*.')),
    'a label of 64 characters': names(dnsName(`${'x'.repeat(64)}.example`)),
    'a name of more than 253 characters': names(dnsName(long)),
    'a name in pieces': names(element(0xa2, element(0x16, Buffer.from(NAME)))),
    'a common name that is not among the names': craftRequest({ subject: subjectOf('b.devices.example') }),
    'a second common name that is not among the names': craftRequest({ subject: subjectOf(NAME, 'b.devices.example') }),
    'a common name before that is not among the names': craftRequest({ subject: subjectOf('b.devices.example', NAME) }),
    'two common names in one part of the subject': craftRequest({
      subject: sequence(
        set(...['a', 'b'].map((label) => sequence(oid(OID.commonName), utf8(`${label}.devices.example`)))),
      ),
    }),
    'an unsorted set': craftRequest({
      subject: sequence(set(sequence(oid(OID.commonName), utf8(NAME)), sequence(oid('55040a'), utf8('b')))),
    }),
    'malformed UTF-8': craftRequest({
      subject: sequence(set(sequence(oid('55040a'), element(0x0c, Buffer.from([0xc0, 0x80]))))),
    }),
    'a subject that is no sequence': craftRequest({ subject: utf8(NAME) }),
    'elements nested a thousand deep': nested(1000),
  };

  test.each(Object.entries(invalid))('%s is refused as invalid', async (_, der) => {
    await expect(readSigningRequest(der)).rejects.toMatchObject({ name: 'LanyardError', code: 'csr-invalid' });
  });

  const point = craftedSpki.subarray(27);
  const [x, y] = [point.subarray(0, 32), point.subarray(32)];
  const p256 = sequence(oid('2a8648ce3d0201'), oid('2a8648ce3d030107'));
  const withPoint = (form: number, ...parts: readonly Uint8Array[]): Buffer =>
    sequence(p256, bits(Buffer.concat([Buffer.from([form]), ...parts])));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const k256 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  const ed25519 = generateKeyPairSync('ed25519');

  const weak: Readonly<Record<string, Buffer>> = {
    'an RSA key': craftRequest({ spki: spkiOf(rsa), key: rsa.privateKey }),
    'a P-384 key': craftRequest({ spki: spkiOf(p384), key: p384.privateKey }),
    'a secp256k1 key': craftRequest({ spki: spkiOf(k256), key: k256.privateKey }),
    'a key with its curve written out': craftRequest({ spki: spkiOf(explicit), key: explicit.privateKey }),
    'an Ed25519 key': craftRequest({ spki: spkiOf(ed25519) }),
    'a point that is not on the curve': craftRequest({ spki: withPoint(4, x, flipped(y, 31)) }),
    'the point at infinity': craftRequest({ spki: withPoint(0) }),
    'the point of zeros': craftRequest({ spki: withPoint(4, Buffer.alloc(64)) }),
    'a coordinate beyond the field': craftRequest({ spki: withPoint(4, Buffer.alloc(64, 0xff)) }),
    'a compressed point': craftRequest({ spki: withPoint(2 + ((y[31] ?? 0) & 1), x) }),
    'a hybrid point': craftRequest({ spki: withPoint(6 + ((y[31] ?? 0) & 1), x, y) }),
    'a point that is cut short': craftRequest({ spki: withPoint(4, x, y.subarray(1)) }),
    'a key with bytes after its end': craftRequest({ spki: sequence(p256, bits(point), integer(0)) }),
  };

  test.each(Object.entries(weak))('%s is refused as a weak key', async (_, der) => {
    await expect(readSigningRequest(der)).rejects.toMatchObject({ name: 'LanyardError', code: 'csr-weak-key' });
  });

  test('a key is refused before its signature costs anything', async () => {
    const unsigned = craftRequest({ spki: spkiOf(p384), signature: () => sequence(integer(1), integer(1)) });
    await expect(readSigningRequest(unsigned)).rejects.toMatchObject({ code: 'csr-weak-key' });
  });

  test('every single flipped bit is refused', async () => {
    const der = craftRequest();
    for (let bit = 0; bit < der.length * 8; bit += 1) {
      const mutant = Buffer.from(der);
      mutant[bit >> 3] = (mutant[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(readSigningRequest(mutant), `bit ${bit}`).rejects.toSatisfy(isRefusal);
    }
  });
});

describe('whatever comes', () => {
  const der = craftRequest({ subject: subjectOf(NAME), algorithm: ECDSA_WITH_SHA256 });
  const edits = fc.array(
    fc.record({
      at: fc.nat(der.length),
      remove: fc.nat(6),
      insert: fc.uint8Array({ maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 4 },
  );

  test('mutations of a request are refused with a reason, or are the request', async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const mutant = list.reduce(
          (bytes, { at, remove, insert }) =>
            Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]),
          Buffer.from(der),
        );
        const outcome = await readSigningRequest(mutant).catch((error: unknown) => error);
        expect(isRefusal(outcome) || mutant.equals(der)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('random bytes are refused with a reason', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) => {
        await expect(readSigningRequest(bytes)).rejects.toSatisfy(isRefusal);
      }),
      { numRuns: 500 },
    );
  });

  test('names are accepted exactly when they are of letters, digits and hyphens', async () => {
    const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
    const text = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '.', '_', '*', '\0', ' ', 'é'), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, async (name) => {
        const labels = name.replace(/^\*\./, '').split('.');
        const outcome = await readSigningRequest(craftRequest({ attributes: namesAttribute(dnsName(name)) })).catch(
          (error: unknown) => error,
        );
        expect(isRefusal(outcome)).toBe(!labels.every((part) => label.test(part)));
      }),
      { numRuns: 500 },
    );
  });
});

function names(...entries: readonly Buffer[]): Buffer {
  return craftRequest({ attributes: namesAttribute(...entries) });
}

function extensions(...list: readonly Buffer[]): Buffer {
  return craftRequest({ attributes: extensionsAttribute(...list) });
}

function spkiOf({ publicKey }: { readonly publicKey: KeyObject }): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

function isRefusal(outcome: unknown): boolean {
  return LanyardError.is(outcome, 'csr-invalid') || LanyardError.is(outcome, 'csr-weak-key');
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** The same element with one more byte of length than it needs: BER, not DER. */
function lengthened(der: Buffer): Buffer {
  const isLong = der[1] === 0x82;
  const body = der.subarray(isLong ? 4 : 3);
  const length = isLong ? der.subarray(2, 4) : Buffer.from([0, der[2] ?? 0]);
  return Buffer.concat([Buffer.from([0x30, 0x83, 0]), length, body]);
}

function nested(depth: number): Buffer {
  let inner: Buffer = integer(0);
  for (let level = 0; level < depth; level += 1) inner = sequence(inner);
  return inner;
}
