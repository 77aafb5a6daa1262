/** Reads a chain of certificates as a CA hands it out. */
import { X509Certificate } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import { LIMITS } from '@lanyard/sdk/protocol';
import type { IssuedChain } from '../certificates/issued-chain.ts';
import { isCertificateName } from './dns-name.ts';
import { keyHashOf } from './p256-key.ts';
import { renewalIdOf } from './renewal-id.ts';

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Roots, cross-signs and intermediates together have never been more. */
const MOST_CERTIFICATES = 8;

/** @throws LanyardError `authority-protocol` when it is not a chain, or too large to be sent to an appliance. */
export function readIssuedChain(pem: string): IssuedChain {
  if (pem.length > LIMITS.chainCharacters) throw nonsense(`it has more than ${LIMITS.chainCharacters} characters`);
  const blocks = pem.match(PEM_BLOCK) ?? [];
  if (blocks.length === 0 || blocks.length > MOST_CERTIFICATES) throw nonsense(`it has ${blocks.length} certificates`);
  // It is stored and published as it is: a private key between the certificates would be, too.
  if (pem.replaceAll(PEM_BLOCK, '').includes('-----')) throw nonsense('it has something else than certificates');
  try {
    return factsOf(blocks.map((block) => new X509Certificate(block)));
  } catch (cause) {
    // OpenSSL reads lazily: a key or a date of no known kind shows only when it is asked for.
    throw LanyardError.is(cause) ? cause : nonsense('a certificate cannot be read', cause);
  }
}

function factsOf(chain: readonly X509Certificate[]): IssuedChain {
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) throw nonsense('it is empty');
  // RFC 8555 §9.1 only recommends the order; browsers that build no paths need it.
  const isLinked = issuers.every((issuer, index) => chain[index]?.verify(issuer.publicKey));
  if (!isLinked) throw nonsense('a certificate is not signed by the next one');
  const [notBeforeMs, notAfterMs] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  if (!(notBeforeMs < notAfterMs)) throw nonsense('it ends before it begins');
  const renewalId = renewalIdOf(leaf.raw);
  return {
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    keyHash: keyHashOf(leaf.publicKey.export({ format: 'der', type: 'spki' })),
    names: namesOf(leaf),
    serial: leaf.serialNumber.toLowerCase(),
    ...(renewalId === undefined ? {} : { renewalId }),
    notBeforeMs,
    notAfterMs,
  };
}

/** Node writes `DNS:a, DNS:b` and quotes whatever could be mistaken for that. */
function namesOf(leaf: X509Certificate): readonly string[] {
  const entries = leaf.subjectAltName?.split(', ') ?? [];
  if (entries.length === 0) throw nonsense('it is for no name');
  return entries.map((entry) => {
    const name = entry.replace(/^DNS:/, '').toLowerCase();
    if (entry.startsWith('DNS:') && isCertificateName(name)) return name;
    throw nonsense(`it is for ${entry.slice(0, 80)}`);
  });
}

function nonsense(why: string, cause?: unknown): LanyardError {
  return new LanyardError('authority-protocol', {
    message: `the CA returned a chain that makes no sense: ${why}`,
    cause,
  });
}
