/** Reads a request for a certificate of the public CA. It only reads: which names an appliance may have is decided elsewhere. */
import { LIMITS } from '@lanyard/sdk/protocol';
import { readCertificationRequest, readRequestDer, refuseRequest } from './certification-request.ts';
import { isCertificateName } from './dns-name.ts';
import { TAG } from './strict-der.ts';
import type { DerNode } from './strict-der.ts';

export interface SigningRequest {
  /** The names of the subjectAltName, lower-cased, in their order. Never what an order is made from. */
  readonly names: readonly string[];
  /** SHA-256 of `spki`, lower-case hex. */
  readonly keyHash: string;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

/** pkcs-9-at-extensionRequest, 1.2.840.113549.1.9.14 (RFC 2985 §5.4.2). */
const EXTENSION_REQUEST_OID = '2a864886f70d01090e';
/** id-ce-subjectAltName, 2.5.29.17. */
const SUBJECT_ALT_NAME_OID = '551d11';
/** RFC 5280 §4.2.1.6: dNSName is [2], an IA5String. */
const DNS_NAME_TAG = 0x82;

/** @throws LanyardError `csr-invalid` | `csr-weak-key` */
export async function readSigningRequest(der: Uint8Array): Promise<SigningRequest> {
  const { spki, keyHash, commonNames, attributes } = readCertificationRequest(der);
  const names = namesOf(subjectAltNameOf(attributes));
  for (const commonName of commonNames) {
    if (!names.includes(commonName.toLowerCase())) refuseRequest('its common name is not among its names');
  }
  return { names, keyHash, spki };
}

/** Nothing but the names: what else a CA copied into the certificate would be the appliance's choice, not the vendor's. */
function subjectAltNameOf(attributes: readonly DerNode[]): DerNode {
  const [attribute, ...others] = attributes;
  if (attribute === undefined) return refuseRequest('it names nothing');
  const [type, values, ...beyond] = attribute.children;
  const isExtensionRequest =
    others.length === 0 && beyond.length === 0 && isOid(type, EXTENSION_REQUEST_OID) && values?.tag === TAG.set;
  if (!isExtensionRequest) return refuseRequest('it has attributes other than its names');
  const [extensions, ...moreValues] = values.children;
  const [extension, ...moreExtensions] = extensions?.children ?? [];
  const isOnlyOne = extensions?.tag === TAG.sequence && moreValues.length === 0 && moreExtensions.length === 0;
  if (!isOnlyOne || !isOid(extension?.children[0], SUBJECT_ALT_NAME_OID)) {
    return refuseRequest('it asks for extensions other than its names');
  }
  return readRequestDer(extensionValue(extension?.children ?? []));
}

function extensionValue(parts: readonly DerNode[]): Uint8Array {
  const [, second, third, ...beyond] = parts;
  // X.690 §11.5: critical is left out when false, so that a boolean here is true.
  const hasCritical = second?.tag === TAG.boolean && second.contents[0] === 0xff;
  const value = hasCritical ? third : second;
  const isWhole = value?.tag === TAG.octetString && beyond.length === 0 && (hasCritical || third === undefined);
  return isWhole ? value.contents : refuseRequest('its extension is malformed');
}

function namesOf(subjectAltName: DerNode): readonly string[] {
  const entries = subjectAltName.children;
  if (subjectAltName.tag !== TAG.sequence || entries.length === 0) return refuseRequest('it names nothing');
  if (entries.length > LIMITS.names) return refuseRequest(`it has more than ${LIMITS.names} names`);
  const names = entries.map(nameOf);
  return new Set(names).size === names.length ? names : refuseRequest('it has a name twice');
}

function nameOf(entry: DerNode): string {
  if (entry.tag !== DNS_NAME_TAG) return refuseRequest('it has an alternative name that is not a DNS name');
  const name = Buffer.from(entry.contents).toString('latin1').toLowerCase();
  return isCertificateName(name) ? name : refuseRequest('it has a malformed name');
}

function isOid(node: DerNode | undefined, hex: string): boolean {
  return node?.tag === TAG.oid && Buffer.from(node.contents).toString('hex') === hex;
}
