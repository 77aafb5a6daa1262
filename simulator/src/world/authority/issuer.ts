/** The model CA's own keys, and the certificates that they sign. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { MadeCertificate } from './certificate-maker.ts';
import type { KeyKind } from './good-key.ts';
import { validityFrom } from './validity.ts';
import {
  alternativeNames,
  authorityKeyIdentifier,
  basicConstraints,
  keyIdentifier,
  keyUsage,
  pemOf,
  serverAuth,
  signWith,
  subjectKeyIdentifier,
  writeCertificate,
} from './x509.ts';
import type { SignBytes } from './x509.ts';

/** One root and the intermediates below it, of which any may sign. */
export interface Hierarchy {
  readonly rootPem: string;
  readonly intermediates: readonly [Signer, ...Signer[]];
}

export interface Signer {
  readonly commonName: string;
  readonly sign: SignBytes;
  readonly pem: string;
  /** What its leaves carry as authority key identifier: the same for all of them. */
  readonly authorityKey: Buffer;
  /** The same in base64url, for ARI. */
  readonly authorityKeyId: string;
}

export interface LeafRequest {
  readonly names: readonly string[];
  readonly publicKey: KeyObject;
  readonly keyKind: KeyKind;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const YEAR_MS = 365 * 86_400_000;

export class Issuer {
  readonly #random: Random;
  readonly hierarchy: Hierarchy;

  constructor(options: { readonly random: Random; readonly hierarchy: Hierarchy }) {
    this.#random = options.random;
    this.hierarchy = options.hierarchy;
  }

  issue(request: LeafRequest): MadeCertificate {
    const { intermediates } = this.hierarchy;
    // Any of them, as at Let's Encrypt: whoever pins an intermediate should find out here.
    const signer = intermediates[Math.floor(this.#random.uniform() * intermediates.length)] ?? intermediates[0];
    const serial = randomSerial(this.#random);
    const der = writeCertificate(
      {
        serial,
        issuer: signer.commonName,
        notBeforeMs: request.notBeforeMs,
        notAfterMs: request.notAfterMs,
        publicKey: request.publicKey,
        extensions: [
          // RSA keys may also encipher (keyEncipherment, bit 2) in TLS 1.2.
          request.keyKind === 'RSA' ? keyUsage(0, 2) : keyUsage(0),
          serverAuth(),
          basicConstraints(false),
          subjectKeyIdentifier(request.publicKey),
          signer.authorityKey,
          alternativeNames(request.names, [], true),
        ],
      },
      signer.sign,
    );
    const { pem: issuerPem, authorityKeyId } = signer;
    return { serial: Buffer.from(serial).toString('hex'), der, issuerPem, authorityKeyId };
  }
}

/** A P-256 key of a root or an intermediate. */
export interface AuthorityKey {
  readonly publicKey: KeyObject;
  readonly sign: SignBytes;
}

export interface HierarchyOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Where its keys come from; OpenSSL when left out. */
  readonly makeKey?: () => AuthorityKey;
}

/** Lasts longer than any simulated time. */
export function createHierarchy({ clock, random, makeKey = newKey }: HierarchyOptions): Hierarchy {
  const { notBeforeMs } = validityFrom(clock.nowMs(), 50 * YEAR_MS);
  const root = { commonName: 'Lanyard Model Root', ...makeKey() };
  const authority = (subject: { commonName: string; publicKey: KeyObject }, pathLength?: number): Buffer =>
    writeCertificate(
      {
        serial: randomSerial(random),
        issuer: root.commonName,
        subject: subject.commonName,
        notBeforeMs,
        notAfterMs: notBeforeMs + 50 * YEAR_MS,
        publicKey: subject.publicKey,
        extensions: [
          keyUsage(5, 6),
          basicConstraints(true, pathLength),
          subjectKeyIdentifier(subject.publicKey),
          ...(pathLength === undefined ? [] : [authorityKeyIdentifier(root.publicKey)]),
        ],
      },
      root.sign,
    );
  const signer = (commonName: string): Signer => {
    const keys = makeKey();
    const der = authority({ commonName, publicKey: keys.publicKey }, 0);
    const authorityKey = authorityKeyIdentifier(keys.publicKey);
    const authorityKeyId = keyIdentifier(keys.publicKey).toString('base64url');
    return { commonName, sign: keys.sign, pem: pemOf(der), authorityKey, authorityKeyId };
  };
  return {
    rootPem: pemOf(authority(root)),
    intermediates: [signer('Lanyard Model ME1'), signer('Lanyard Model ME2')],
  };
}

/** 144 bits under a first octet that keeps the integer positive and of fixed length (RFC 5280 §4.1.2.2). */
export function randomSerial(random: Random): Uint8Array {
  return Uint8Array.of(0x2c, ...random.bytes(17));
}

function newKey(): AuthorityKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { publicKey, sign: signWith(privateKey) };
}
