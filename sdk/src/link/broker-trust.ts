/** Whether the broker's certificate comes from the pinned root and is for the host that was dialled. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export interface PresentedChain {
  /** What was dialled: a DNS name or an IP literal. */
  readonly host: string;
  /** As the broker sent it, its own certificate first. */
  readonly chain: readonly X509Certificate[];
  readonly roots: readonly X509Certificate[];
  readonly nowMs: number;
  /** A clock that shows an earlier time is wrong for certain, so that it cannot judge dates. */
  readonly clockFloorMs: number;
}

/** Leaf, two intermediates and the root are more than any private CA uses. */
const LONGEST_PATH = 4;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Why the broker must not be trusted; undefined when it may be.
 *
 * Dates are ignored only below the floor. An appliance without a battery wakes up in 1970, where every certificate
 * is not yet valid, and it needs the broker to learn what time it is.
 */
export function findDistrust({ host, chain, roots, nowMs, clockFloorMs }: PresentedChain): string | undefined {
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) return 'it sent no certificate';
  const path = findPath(leaf, intermediates, roots);
  if (path === undefined) return 'its certificate was not issued by the pinned root';
  if (!isForHost(leaf, host)) return `its certificate is not for ${host}`;
  // Node calls the extended key usage keyUsage. RFC 5280 §4.2.1.12: without the extension every use is allowed.
  const uses: readonly string[] | undefined = leaf.keyUsage;
  if (uses !== undefined && !uses.includes(SERVER_AUTH)) return 'its certificate is not for servers';
  if (nowMs < clockFloorMs) return undefined;
  const outdated = path.find((each) => !(nowMs >= Date.parse(each.validFrom) && nowMs <= Date.parse(each.validTo)));
  return outdated && `its certificate chain is valid from ${outdated.validFrom} to ${outdated.validTo}`;
}

/** Every certificate in a PEM text. */
export function readCertificates(pem: string): readonly X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

/** Leaf to root. Never branches, so that a hostile chain costs a few signature checks at most. */
function findPath(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const path = [leaf];
  for (let last = leaf; path.length < LONGEST_PATH;) {
    const root = roots.find((each) => isIssuer(each, last));
    if (root) return [...path, root];
    const next = intermediates.find((each) => !path.includes(each) && isIssuer(each, last));
    if (next === undefined) return undefined;
    path.push(next);
    last = next;
  }
  return undefined;
}

function isIssuer(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function isForHost(leaf: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return leaf.checkIP(host) !== undefined;
  // RFC 9525 §2: only the subject alternative names count, and a wildcard only as a whole label.
  return leaf.checkHost(host, { subject: 'never', partialWildcards: false }) !== undefined;
}
