/** The model CA's own keys, and the certificates that they sign. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { Extension } from 'pkijs';
import type { KeyKind } from './good-key.ts';
import {
  alternativeNames,
  authorityKeyIdentifier,
  basicConstraints,
  keyUsage,
  pemOf,
  serverAuth,
  subjectKeyIdentifier,
  writeCertificate,
} from './x509.ts';

/** One root and the intermediates below it, of which any may sign. */
export interface Hierarchy {
  readonly rootPem: string;
  readonly intermediates: readonly [Signer, ...Signer[]];
}

export interface Signer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
  readonly pem: string;
  /** What its leaves carry as authority key identifier: the same for all of them. */
  readonly authorityKey: Extension;
}

export interface LeafRequest {
  readonly names: readonly string[];
  readonly publicKey: KeyObject;
  readonly keyKind: KeyKind;
  readonly validityMs: number;
}

export interface IssuedCertificate {
  /** Hex, as in the certificate's URL. */
  readonly serial: string;
  readonly der: Buffer;
  readonly issuerPem: string;
  readonly notAfterMs: number;
}

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/** Boulder dates certificates back, for clients whose clocks run late. */
const BACKDATE_MS = HOUR_MS;

export class Issuer {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly hierarchy: Hierarchy;

  constructor(options: { readonly clock: Clock; readonly random: Random; readonly hierarchy: Hierarchy }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.hierarchy = options.hierarchy;
  }

  issue(request: LeafRequest): IssuedCertificate {
    const { intermediates } = this.hierarchy;
    // Any of them, as at Let's Encrypt: whoever pins an intermediate should find out here.
    const signer = intermediates[Math.floor(this.#random.uniform() * intermediates.length)] ?? intermediates[0];
    const serial = randomSerial(this.#random);
    const notBeforeMs = wholeSeconds(this.#clock.nowMs() - BACKDATE_MS);
    // RFC 5280 §4.1.2.5: the last second belongs to the validity.
    const notAfterMs = notBeforeMs + request.validityMs - 1000;
    const der = writeCertificate(
      {
        serial,
        issuer: signer.commonName,
        notBeforeMs,
        notAfterMs,
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
      signer.privateKey,
    );
    return { serial: Buffer.from(serial).toString('hex'), der, issuerPem: signer.pem, notAfterMs };
  }
}

/** Lasts longer than any simulated time. */
export function createHierarchy(options: { readonly clock: Clock; readonly random: Random }): Hierarchy {
  const { clock, random } = options;
  const notBeforeMs = wholeSeconds(clock.nowMs() - BACKDATE_MS);
  const root = { commonName: 'Lanyard Model Root', ...newKey() };
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
      root.privateKey,
    );
  const signer = (commonName: string): Signer => {
    const keys = newKey();
    const der = authority({ commonName, publicKey: keys.publicKey }, 0);
    const authorityKey = authorityKeyIdentifier(keys.publicKey);
    return { commonName, privateKey: keys.privateKey, pem: pemOf(der), authorityKey };
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

function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000) * 1000;
}
