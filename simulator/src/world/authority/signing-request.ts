/** Reads a PKCS#10 request (RFC 2986) and says what is wrong with it, as Boulder's csr package does. */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { CertificationRequest, Extensions, GeneralNames } from 'pkijs';
import * as asn1js from 'asn1js';
import { judgeKey, type KeyKind } from './good-key.ts';
import { Problem } from './problems.ts';

export interface SigningRequest {
  /** From the common name and the subject alternative names: lower case, each once, sorted. */
  readonly names: readonly string[];
  readonly publicKey: KeyObject;
  readonly keyKind: KeyKind;
}

/** @throws Problem `badCSR` */
export function readSigningRequest(der: Uint8Array): SigningRequest {
  const request = decode(der);
  const publicKey = publicKeyOf(request);
  const verdict = judgeKey(publicKey);
  if ('refusal' in verdict) throw new Problem('badCSR', `invalid public key in CSR: ${verdict.refusal}`);
  checkSignature(request, publicKey);
  return { names: namesOf(request), publicKey, keyKind: verdict.kind };
}

const OID = {
  commonName: '2.5.4.3',
  extensionRequest: '1.2.840.113549.1.9.14',
  subjectAltName: '2.5.29.17',
} as const;

const HASH_OF: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
]);

function decode(der: Uint8Array): CertificationRequest {
  try {
    const request = CertificationRequest.fromBER(Uint8Array.from(der).buffer);
    // The parser lets wrong lengths and trailing octets pass; DER has one encoding only.
    if (Buffer.from(request.toSchema().toBER(false)).equals(der)) return request;
  } catch {
    // Whatever the parser stumbled over, the client hears the same.
  }
  throw new Problem('badCSR', 'Error parsing certificate request: not one strict DER structure');
}

function publicKeyOf(request: CertificationRequest): KeyObject {
  try {
    const spki = Buffer.from(request.subjectPublicKeyInfo.toSchema().toBER(false));
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    throw new Problem('badCSR', 'invalid public key in CSR: unreadable');
  }
}

function checkSignature(request: CertificationRequest, publicKey: KeyObject): void {
  const hash = HASH_OF.get(request.signatureAlgorithm.algorithmId);
  if (hash === undefined) throw new Problem('badCSR', 'signature algorithm not supported');
  const signature = request.signatureValue.valueBlock.valueHexView;
  const isGood = verify(hash, request.tbsView, { key: publicKey, dsaEncoding: 'der' }, signature);
  if (!isGood) throw new Problem('badCSR', 'invalid signature on CSR');
}

function namesOf(request: CertificationRequest): readonly string[] {
  const common = request.subject.typesAndValues
    .filter((attribute) => attribute.type === OID.commonName)
    .map((attribute) => textOf(attribute.value.valueBlock.value));
  return [...new Set([...common, ...alternativeNamesOf(request)].map((name) => name.toLowerCase()))].toSorted();
}

function alternativeNamesOf(request: CertificationRequest): readonly string[] {
  const wanted = request.attributes?.find((attribute) => attribute.type === OID.extensionRequest);
  if (wanted === undefined) return [];
  let names: GeneralNames['names'];
  try {
    const { extensions } = new Extensions({ schema: wanted.values[0] });
    const found = extensions.filter((extension) => extension.extnID === OID.subjectAltName);
    names = found.flatMap((extension) => {
      const parsed = asn1js.fromBER(extension.extnValue.valueBlock.valueHexView);
      return new GeneralNames({ schema: parsed.result }).names;
    });
  } catch {
    throw new Problem('badCSR', 'Error parsing certificate request: unreadable extensions');
  }
  // RFC 5280 §4.2.1.6: 2 is dNSName.
  if (names.some((name) => name.type !== 2)) throw new Problem('badCSR', 'CSR contains other names than DNS names');
  return names.map((name) => textOf(name.value));
}

/** What the parser calls a string is one only when the request is well-formed. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Problem('badCSR', 'Error parsing certificate request: a name is not text');
}
