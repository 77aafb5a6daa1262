/** Certificates as a CA signs them, right and wrong ones, for tests that have no CA with a signature of its own. */
import { systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { createDoorCertificate } from '../../simulator/src/world/authority/door-certificate.ts';
import type { DoorCertificate } from '../../simulator/src/world/authority/door-certificate.ts';
import type { CertificateContent } from '../../simulator/src/world/authority/certificate-maker.ts';
import { createHierarchy } from '../../simulator/src/world/authority/issuer.ts';
import { X509Maker } from '../../simulator/src/world/authority/x509-maker.ts';

export class Signer {
  readonly #maker: X509Maker;

  constructor() {
    const world = { clock: systemClock, random: systemRandom };
    this.#maker = new X509Maker({ ...world, hierarchy: createHierarchy(world) });
  }

  /** Leaf and intermediate for the key of a signing request in DER. */
  chain(csr: Uint8Array, content: CertificateContent): string {
    const { der, issuerPem } = this.#maker.readRequest(csr).make(content);
    return pemOf('CERTIFICATE', der) + issuerPem;
  }
}

/** For an HTTPS server on loopback that nobody has a reason to trust. */
export function strangersDoor(): DoorCertificate {
  return createDoorCertificate('127.0.0.1', systemRandom);
}

export function pemOf(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
}
