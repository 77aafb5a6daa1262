/** Cryptography without the arithmetic: keys, requests and certificates that keep their sizes and say what they are for. */
import type { Candidate, CertificateReader, Credential, KeyMaker, VerificationTime } from '@lanyard/sdk';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { IssuedChain } from '@lanyard/broker/virtual';
import { writeCertId } from '../../world/authority/cert-id.ts';
import type { CertificateMaker } from '../../world/authority/certificate-maker.ts';
import { Problem } from '../../world/authority/problems.ts';

/** Stands in every private key, so that one that leaves its appliance is found. */
export const STUB_KEY_MARK = 'STUB PRIVATE KEY';
const REQUEST_MARK = 'STUB REQUEST';
const CERTIFICATE_MARK = 'STUB CERTIFICATE';

const PEM_BEGIN = '-----BEGIN CERTIFICATE-----\n';
const PEM_END = '\n-----END CERTIFICATE-----\n';

/** P-256 as PKCS#8 PEM; a P-256 request with one name; a P-256 leaf and an intermediate of Let's Encrypt. */
const KEY_CHARACTERS = 241;
const REQUEST_BYTES = 250;
const LEAF_BYTES = 900;
const ISSUER_PEM = pem(Buffer.alloc(1_000, 'issuer '));

/** `stub` in base64url. */
const AUTHORITY_KEY_ID = 'c3R1Yg';

/** Some CAs do not backdate; as in the SDK. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Keys with numbers: no two are alike in one run, and the same run makes the same ones. */
export class StubCrypto {
  #keys = 0;
  #serials = 0;

  readonly keys: KeyMaker = {
    makeKeyPair: async () => {
      const keyHash = numbered('ce', ++this.#keys);
      return { keyPem: `${STUB_KEY_MARK} ${keyHash} `.padEnd(KEY_CHARACTERS, 'k'), keyHash };
    },
    makeSigningRequest: async ({ keyPem, names }) =>
      padded([REQUEST_MARK, keyHashOf(keyPem), names.join(',')], REQUEST_BYTES),
  };

  readonly reader: CertificateReader = {
    read: readPair,
    keyHash: keyHashOf,
    verify,
  };

  readonly maker: CertificateMaker = {
    readRequest: (request) => {
      const { names, keyHash } = fieldsOf(request, REQUEST_MARK) ?? refuse();
      return {
        names: names.toSorted(),
        keyFingerprint: keyHash,
        make: (content) => {
          const serial = numbered('5e', ++this.#serials).slice(-36);
          const key = content.isForOtherKey ? numbered('ff', this.#serials) : keyHash;
          const dates = [content.notBeforeMs, content.notAfterMs].map(String);
          const der = padded([CERTIFICATE_MARK, key, content.names.join(','), serial, ...dates], LEAF_BYTES);
          return { serial, authorityKeyId: AUTHORITY_KEY_ID, der, issuerPem: ISSUER_PEM };
        },
      };
    },
  };
}

export async function readStubRequest(der: Uint8Array): Promise<{ names: readonly string[]; keyHash: string }> {
  const fields = fieldsOf(der, REQUEST_MARK);
  if (fields === undefined) throw new LanyardError('csr-invalid', { message: 'no stub of a request' });
  return fields;
}

/** @throws LanyardError `authority-protocol`. */
export function readStubChain(chain: string): IssuedChain {
  const fields = fieldsOf(leafOf(chain), CERTIFICATE_MARK);
  if (fields === undefined) throw new LanyardError('authority-protocol', { message: 'no stub of a certificate' });
  const { names, keyHash, rest } = fields;
  const [serial = '', notBefore, notAfter] = rest;
  return {
    fingerprint: serial.padStart(64, '0'),
    keyHash,
    names,
    serial,
    renewalId: writeCertId({ authorityKeyId: AUTHORITY_KEY_ID, serial }),
    notBeforeMs: Number(notBefore),
    notAfterMs: Number(notAfter),
  };
}

function readPair(keyPem: string, chainPem: string): Credential {
  const { fingerprint, keyHash, names, notBeforeMs, notAfterMs } = readStubChain(chainPem);
  if (keyHash !== keyHashOf(keyPem)) throw refusal('key', 'the certificate is for another key');
  return { keyPem, chainPem, fingerprint, keyHash, names, notBeforeMs, notAfterMs };
}

/** The checks of the real one, as far as there is anything to check. */
function verify(candidate: Candidate, time: VerificationTime): Credential {
  const credential = readPair(candidate.keyPem, candidate.chainPem);
  const { fingerprint, names, notBeforeMs, notAfterMs } = credential;
  if (fingerprint !== candidate.fingerprint) throw refusal('fingerprint', 'announced another one');
  const isExact = names.length === candidate.names.length && candidate.names.every((name) => names.includes(name));
  if (!isExact || names.length === 0) throw refusal('names', `found ${names.join(', ')}`);
  if (time.nowMs > notAfterMs) throw refusal('dates', 'it has expired');
  if (time.isPlausible && time.nowMs + CLOCK_SKEW_MS < notBeforeMs) throw refusal('dates', 'it is not valid yet');
  return credential;
}

function keyHashOf(keyPem: string): string {
  const [mark, keyHash = ''] = [keyPem.slice(0, STUB_KEY_MARK.length), keyPem.split(' ')[3]];
  if (mark !== STUB_KEY_MARK) throw refusal('key', 'the private key cannot be read');
  return keyHash;
}

interface Fields {
  readonly keyHash: string;
  readonly names: readonly string[];
  readonly rest: readonly string[];
}

function fieldsOf(bytes: Uint8Array, mark: string): Fields | undefined {
  const [found, keyHash = '', names = '', ...rest] = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .split('|');
  return found === mark ? { keyHash, names: names === '' ? [] : names.split(','), rest: rest.slice(0, -1) } : undefined;
}

/** Fields between bars, and as many spare bytes as make the real size. */
function padded(fields: readonly string[], bytes: number): Uint8Array {
  return Buffer.from(`${fields.join('|')}|`.padEnd(bytes, '='), 'latin1');
}

function pem(der: Buffer): string {
  return PEM_BEGIN + der.toString('base64') + PEM_END;
}

function leafOf(chain: string): Buffer {
  const end = chain.indexOf(PEM_END.trimEnd());
  return Buffer.from(chain.slice(PEM_BEGIN.length, end < 0 ? 0 : end), 'base64');
}

/** 64 hex digits that begin with `prefix` and end with the number. */
function numbered(prefix: string, number: number): string {
  return prefix + number.toString(16).padStart(62, '0');
}

function refuse(): never {
  throw new Problem('badCSR', 'Error parsing certificate request');
}

function refusal(check: string, message: string): LanyardError {
  return new LanyardError('certificate-refused', { message: `${check}: ${message}`, details: { check } });
}
