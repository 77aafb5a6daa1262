/** What every PKCS#10 request (RFC 2986) must be before anybody looks at what it asks for. */
import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LanyardError, describeError } from '@lanyard/sdk/kernel';
import { LIMITS } from '@lanyard/sdk/protocol';
import { keyHashOf, readP256Key } from './p256-key.ts';
import { readStrictDer, TAG } from './strict-der.ts';
import type { DerNode } from './strict-der.ts';

export interface VerifiedRequest {
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** SHA-256 of `spki`, lower-case hex. */
  readonly keyHash: string;
  /** Every common name of the subject, as written. */
  readonly commonNames: readonly string[];
  /** Of the attributes, in their order. */
  readonly attributes: readonly DerNode[];
}

interface RequestParts {
  /** CertificationRequestInfo: what is signed. */
  readonly info: DerNode;
  readonly subject: DerNode;
  readonly spki: DerNode;
  readonly attributes: readonly DerNode[];
  readonly signatureAlgorithm: DerNode;
  readonly signature: DerNode;
}

/** Whole AlgorithmIdentifiers, in hex, of ECDSA with SHA-2; without parameters (RFC 5758 §3.2). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['300a06082a8648ce3d040302', 'sha256'],
  ['300a06082a8648ce3d040303', 'sha384'],
  ['300a06082a8648ce3d040304', 'sha512'],
]);
/** id-at-commonName, 2.5.4.3. */
const COMMON_NAME_OID = '550403';
/** [0], the tag of the attributes. */
const ATTRIBUTES_TAG = 0xa0;

/**
 * Checks in the order of cost: size, encoding, form, key, signature.
 * @throws LanyardError `csr-invalid` | `csr-weak-key`
 */
export function readCertificationRequest(der: Uint8Array): VerifiedRequest {
  const parts = readParts(der);
  const key = readP256Key(parts.spki.bytes);
  assertSigned(parts, key);
  return {
    spki: Uint8Array.from(parts.spki.bytes),
    keyHash: keyHashOf(parts.spki.bytes),
    commonNames: commonNamesOf(parts.subject),
    attributes: parts.attributes,
  };
}

/** @throws LanyardError `csr-invalid`, always. */
export function refuseRequest(reason: string, cause?: unknown): never {
  throw new LanyardError('csr-invalid', { message: `The signing request is refused: ${reason}.`, cause });
}

/** Reads one strict DER element inside a request. @throws LanyardError `csr-invalid` */
export function readRequestDer(bytes: Uint8Array): DerNode {
  try {
    return readStrictDer(bytes);
  } catch (error) {
    return refuseRequest(`it is not strict DER (${describeError(error)})`, error);
  }
}

function readParts(der: Uint8Array): RequestParts {
  if (der.length > LIMITS.csrBytes) refuseRequest(`it is larger than ${LIMITS.csrBytes} bytes`);
  const root = readRequestDer(der);
  const [info, signatureAlgorithm, signature, ...beyond] = root.children;
  const [version, subject, spki, attributes, ...more] = info?.children ?? [];
  const isRequest =
    root.tag === TAG.sequence &&
    info?.tag === TAG.sequence &&
    signatureAlgorithm?.tag === TAG.sequence &&
    signature?.tag === TAG.bitString &&
    beyond.length === 0 &&
    version?.tag === TAG.integer &&
    // RFC 2986 §4.1: v1 is the only version, and its value is 0.
    isHex(version.contents, '00') &&
    subject?.tag === TAG.sequence &&
    spki?.tag === TAG.sequence &&
    (attributes === undefined || attributes.tag === ATTRIBUTES_TAG) &&
    more.length === 0;
  if (!isRequest) return refuseRequest('it has not the form of PKCS#10');
  return { info, subject, spki, attributes: attributes?.children ?? [], signatureAlgorithm, signature };
}

function assertSigned({ info, signatureAlgorithm, signature }: RequestParts, key: KeyObject): void {
  // A weak hash or a signature in BER would be passed on to a CA, which refuses the order after it was paid for.
  const hash = HASHES.get(hexOf(signatureAlgorithm.bytes));
  if (hash === undefined) return refuseRequest('its signature is not ECDSA with SHA-2');
  const numbers = signature.contents.subarray(1);
  if (signature.contents[0] !== 0 || !isPairOfNumbers(readRequestDer(numbers))) {
    return refuseRequest('its signature is not a pair of numbers');
  }
  if (!verify(hash, info.bytes, key, numbers)) refuseRequest('its signature does not verify');
}

/** RFC 3279 §2.2.3: r and s. */
function isPairOfNumbers({ tag, children }: DerNode): boolean {
  return tag === TAG.sequence && children.length === 2 && children.every(isCoordinate);
}

/** Positive, and no longer than the key: 32 bytes, and one more where the first bit is set. */
function isCoordinate({ tag, contents }: DerNode): boolean {
  return tag === TAG.integer && contents.length <= 33 && (contents[0] ?? 0x80) < 0x80;
}

function commonNamesOf(subject: DerNode): readonly string[] {
  const names: string[] = [];
  for (const attribute of subject.children.flatMap((relativeName) => relativeName.children)) {
    const [type, value] = attribute.children;
    if (type && value && isHex(type.contents, COMMON_NAME_OID))
      names.push(Buffer.from(value.contents).toString('utf8'));
  }
  return names;
}

function isHex(bytes: Uint8Array, hex: string): boolean {
  return hexOf(bytes) === hex;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
