/** A certificate chain as the CA sends it (RFC 8555 §9.1: PEM, leaf first), checked for its shape only. */
import { LanyardError } from '@lanyard/sdk/kernel';

/** A leaf, an intermediate or two, perhaps a cross-signed root; what is longer, no TLS client would take. */
const MOST_CERTIFICATES = 10;

/** @throws LanyardError `authority-protocol` when it holds anything but certificates: files made of it are published. */
export function parseChain(document: unknown): string {
  if (typeof document !== 'string') throw broken('no text');
  const labels = [...document.matchAll(/-----BEGIN ([^\n]{1,64})-----/g)].map(([, label]) => label);
  if (labels.length === 0) throw broken('no PEM in it');
  if (labels.length > MOST_CERTIFICATES) throw broken(`more than ${MOST_CERTIFICATES} certificates`);
  if (labels.some((label) => label !== 'CERTIFICATE')) throw broken('not only certificates');
  return document;
}

function broken(fault: string): LanyardError {
  return new LanyardError('authority-protocol', { message: `the CA's certificate chain makes no sense: ${fault}` });
}
