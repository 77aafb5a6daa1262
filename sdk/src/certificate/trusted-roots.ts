/** The root certificates that an appliance lets vouch for its own certificate. */
import type { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { readChain } from './credential.ts';

/** By default those that come with Node, which are Mozilla's: what visitors' browsers trust. */
export class TrustedRoots {
  readonly #pems: readonly string[] | undefined;
  #bySubject: ReadonlyMap<string, readonly X509Certificate[]> | undefined;

  constructor(pems?: readonly string[]) {
    this.#pems = pems;
  }

  /** Whether `certificate` is a trusted root, or signed by one. */
  vouchFor(certificate: X509Certificate): boolean {
    this.#bySubject ??= this.#pems ? index(this.#pems) : systemRoots();
    const same = this.#bySubject.get(certificate.subject) ?? [];
    if (same.some((root) => root.raw.equals(certificate.raw))) return true;
    const issuers = this.#bySubject.get(certificate.issuer) ?? [];
    return issuers.some((root) => root.ca && certificate.checkIssued(root) && certificate.verify(root.publicKey));
  }
}

let indexed: ReadonlyMap<string, readonly X509Certificate[]> | undefined;

/** Reading Mozilla's 150 roots takes some 20 ms on a desktop: once a process, and only when asked. */
function systemRoots(): ReadonlyMap<string, readonly X509Certificate[]> {
  indexed ??= index(rootCertificates);
  return indexed;
}

function index(pems: readonly string[]): ReadonlyMap<string, readonly X509Certificate[]> {
  const bySubject = new Map<string, X509Certificate[]>();
  for (const root of pems.flatMap((pem) => splitBundle(pem))) {
    const same = bySubject.get(root.subject);
    if (same) same.push(root);
    else bySubject.set(root.subject, [root]);
  }
  return bySubject;
}

/** A bundle may hold hundreds, so it is read one certificate at a time. */
function splitBundle(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => readChain(block)[0]);
}
