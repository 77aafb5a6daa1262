/** The certificate that the model CA's HTTPS door shows, from a root that signs nothing else. */
import { generateKeyPairSync } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Random } from '@lanyard/sdk/kernel';
import { randomSerial } from './issuer.ts';
import {
  alternativeNames,
  authorityKeyIdentifier,
  basicConstraints,
  keyUsage,
  pemOf,
  serverAuth,
  signWith,
  subjectKeyIdentifier,
  writeCertificate,
} from './x509.ts';

export interface DoorCertificate {
  readonly rootPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Good at any time: clients look at their own clock, which need not be the simulated one. */
const NOT_BEFORE_MS = Date.UTC(2000, 0, 1);
const NOT_AFTER_MS = Date.UTC(2099, 0, 1);

/** @param host an IPv4 address or a name; `localhost` is always covered. */
export function createDoorCertificate(host: string, random: Random): DoorCertificate {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = 'Lanyard Model CA Door Root';
  const shared = { issuer, notBeforeMs: NOT_BEFORE_MS, notAfterMs: NOT_AFTER_MS };
  const rootDer = writeCertificate(
    {
      ...shared,
      serial: randomSerial(random),
      subject: issuer,
      publicKey: root.publicKey,
      extensions: [keyUsage(5, 6), basicConstraints(true, 0), subjectKeyIdentifier(root.publicKey)],
    },
    signWith(root.privateKey),
  );
  const addresses = isIPv4(host) ? [Uint8Array.from(host.split('.').map(Number))] : [];
  const names = isIPv4(host) || host === 'localhost' ? ['localhost'] : [host, 'localhost'];
  const leafDer = writeCertificate(
    {
      ...shared,
      serial: randomSerial(random),
      publicKey: leaf.publicKey,
      extensions: [
        keyUsage(0),
        serverAuth(),
        basicConstraints(false),
        subjectKeyIdentifier(leaf.publicKey),
        authorityKeyIdentifier(root.publicKey),
        alternativeNames(names, addresses, true),
      ],
    },
    signWith(root.privateKey),
  );
  return {
    rootPem: pemOf(rootDer),
    certificatePem: pemOf(leafDer),
    privateKeyPem: leaf.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}
