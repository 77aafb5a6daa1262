/** What a certificate is called in renewal information (RFC 9773 §4.1). Node does not tell the half of it. */
import { readStrictDer, TAG } from './strict-der.ts';
import type { DerNode } from './strict-der.ts';

/** [0] and [3] of a TBSCertificate (RFC 5280 §4.1). */
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
/** id-ce-authorityKeyIdentifier, 2.5.29.35, and its [0] (RFC 5280 §4.2.1.1). */
const AUTHORITY_KEY_IDENTIFIER = Buffer.from('551d23', 'hex');
const KEY_IDENTIFIER_TAG = 0x80;

/** Key identifiers are hashes, and a serial has 20 octets at most (RFC 5280 §4.1.2.2): what is longer is neither. */
const LONGEST_PART = 64;

/**
 * @param certificate DER.
 * @returns undefined when it names no authority key, or is not strict DER: browsers may take it all the same, and it is
 *   renewed by its dates.
 */
export function renewalIdOf(certificate: Uint8Array): string | undefined {
  const [version, serial, ...others] = read(certificate)?.children[0]?.children ?? [];
  if (version?.tag !== VERSION_TAG || serial?.tag !== TAG.integer) return undefined;
  const keyIdentifier = keyIdentifierOf(others.find(({ tag }) => tag === EXTENSIONS_TAG));
  if (keyIdentifier === undefined) return undefined;
  // The contents as they stand, the leading 00 of a serial whose top bit is set included.
  const parts = [keyIdentifier, serial.contents];
  if (parts.some(({ length }) => length === 0 || length > LONGEST_PART)) return undefined;
  return parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
}

function keyIdentifierOf(extensions: DerNode | undefined): Uint8Array | undefined {
  const found = (extensions?.children[0]?.children ?? []).filter(({ children: [id] }) => {
    return id?.tag === TAG.oid && AUTHORITY_KEY_IDENTIFIER.equals(id.contents);
  });
  // RFC 5280 §4.2: no extension twice. Which one the CA meant is not ours to guess.
  const value = found.length === 1 ? found[0]?.children.at(-1) : undefined;
  if (value?.tag !== TAG.octetString) return undefined;
  const identifier = read(value.contents);
  const [first] = identifier?.tag === TAG.sequence ? identifier.children : [];
  return first?.tag === KEY_IDENTIFIER_TAG ? first.contents : undefined;
}

function read(der: Uint8Array): DerNode | undefined {
  try {
    return readStrictDer(der);
  } catch {
    return undefined;
  }
}
