/** Everything that must hold before a certificate replaces the one in use. */
import type { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readChain, readCredential, readDate, refusal } from './credential.ts';
import type { Credential } from './credential.ts';
import type { TrustedRoots } from './trusted-roots.ts';

export interface Candidate {
  readonly keyPem: string;
  /** PEM, leaf first, as it arrived. */
  readonly chainPem: string;
  /** What the broker says its fingerprint is. */
  readonly fingerprint: string;
  /** Exactly the names it must carry. */
  readonly names: readonly string[];
}

export interface VerificationTime {
  readonly nowMs: number;
  /**
   * False: the time is the appliance's own and lies before anything that can be true (no battery-backed clock).
   * Then "not yet valid" means nothing and is tolerated.
   */
  readonly isPlausible: boolean;
}

/**
 * The credential, if it may be installed.
 * @throws LanyardError `certificate-refused`: the message says which check failed and what was seen.
 */
export function verifyCertificate(candidate: Candidate, roots: TrustedRoots, time: VerificationTime): Credential {
  const credential = readCredential(candidate.keyPem, candidate.chainPem);
  if (credential.fingerprint !== candidate.fingerprint) {
    throw refusal('fingerprint', `announced ${candidate.fingerprint}, received ${credential.fingerprint}`);
  }
  checkNames(credential.names, candidate.names);
  const chain = readChain(candidate.chainPem);
  checkPurpose(chain[0]);
  checkTrust(chain, roots, time);
  checkLoading(credential);
  return credential;
}

/** Some CAs do not backdate; the broker's clock may be this much behind theirs. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** id-kp-serverAuth, RFC 5280 §4.2.1.12. */
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';

/** The whole of the key usages must allow a server, and the certificate must not be a CA. */
function checkPurpose(leaf: X509Certificate): void {
  if (leaf.ca) throw refusal('purpose', 'the certificate is that of a CA');
  // Node calls the extended key usages `keyUsage`, and leaves it undefined when there are none.
  const usages: readonly string[] | undefined = leaf.keyUsage;
  if (usages !== undefined && !usages.includes(SERVER_AUTHENTICATION)) {
    throw refusal('purpose', `the certificate is for ${usages.join(', ')}, not for servers`);
  }
}

function checkNames(found: readonly string[], wanted: readonly string[]): void {
  const isExact = new Set(found).size === new Set(wanted).size && wanted.every((name) => found.includes(name));
  if (!isExact || wanted.length === 0) {
    throw refusal('names', `must be exactly ${wanted.join(', ')}, found ${found.slice(0, 8).join(', ').slice(0, 512)}`);
  }
}

/** RFC 5280 §6.1 as far as a chain without policies needs it: signatures, CA flags, dates, up to a trusted root. */
function checkTrust(chain: readonly X509Certificate[], roots: TrustedRoots, time: VerificationTime): void {
  for (const [index, certificate] of chain.entries()) {
    checkDates(certificate, time);
    if (index > 0 && !certificate.ca) throw refusal('trust', `${oneLine(certificate.subject)} is not a CA`);
    // Whatever follows is spare: servers send cross-signed roots for old clients.
    if (roots.vouchFor(certificate)) return;
    const issuer = chain[index + 1];
    if (issuer === undefined) {
      throw refusal('trust', `the chain ends at ${oneLine(certificate.issuer)}, which is no trusted root`);
    }
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw refusal('trust', `${oneLine(certificate.subject)} is not signed by the next, ${oneLine(issuer.subject)}`);
    }
  }
}

function checkDates(certificate: X509Certificate, time: VerificationTime): void {
  const seen = `valid from ${certificate.validFrom} to ${certificate.validTo}`;
  if (time.nowMs > readDate(certificate.validTo)) {
    throw refusal('dates', `${oneLine(certificate.subject)} has expired: ${seen}`);
  }
  if (time.isPlausible && time.nowMs + CLOCK_SKEW_MS < readDate(certificate.validFrom)) {
    throw refusal('dates', `${oneLine(certificate.subject)} is not valid yet: ${seen}`);
  }
}

/** The same call that will put it into the running server. */
function checkLoading(credential: Credential): void {
  try {
    createSecureContext({ key: credential.keyPem, cert: credential.chainPem });
  } catch (cause) {
    throw refusal('loading', 'the TLS library does not load it', cause);
  }
}

/** Distinguished names as OpenSSL prints them have a line per part. */
function oneLine(distinguishedName: string): string {
  return `"${distinguishedName.replaceAll('\n', ', ').slice(0, 256)}"`;
}
