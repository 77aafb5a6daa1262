/** The vendor's private CA: identities of appliances, and the broker's own server certificate. Browsers never see it. */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import { isDeviceId, LIMITS } from '@lanyard/sdk/protocol';
import { refuseRequest } from './certification-request.ts';
import { readIdentityRequest } from './identity-request.ts';
import { keyHashOf, readP256Key } from './p256-key.ts';
import {
  alternativeNames,
  authorityConstraints,
  authorityKeyIdentifier,
  commonName,
  extendedKeyUsage,
  keyUsage,
  readIssuer,
  subjectKeyIdentifier,
  writeCertificate,
} from './x509.ts';
import type { CertificateContent, Issuer } from './x509.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;

/** Appliances pin the root for their whole life: longer than any of them lasts. */
const ROOT_YEARS = 25;

/**
 * The broker makes itself a new one at every start and every month, so that the term only has to outlast an appliance's
 * clock that runs ahead, and a process that is never restarted; it also ends the use of a stolen key some day.
 */
const SERVER_YEARS = 2;

/** Clocks of other machines may be behind. */
const BACKDATE_MS = DAY_MS;

/**
 * RFC 5280 §4.1.2.5: "no well-defined expiration date". An identity must survive years on a shelf; it is withdrawn by
 * disabling the appliance, not by date.
 */
const NEVER_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

export interface KeyAndCertificate {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

/** What an appliance shows of its key: a request proves that it has the other half, a bare public key is taken on trust. */
export type IdentityMaterial = { readonly csrPem: string } | { readonly publicKeyPem: string };

export interface IdentityKey {
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** SHA-256 of it, lower-case hex. */
  readonly keyHash: string;
}

interface World {
  readonly clock: Clock;
  readonly random: Random;
}

/** A new root with its key. */
export function createPrivateCa(name: string, { clock, random }: World): KeyAndCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = spkiOf(publicKey);
  const nowMs = clock.nowMs();
  const validity = { notBeforeMs: nowMs - BACKDATE_MS, notAfterMs: nowMs + ROOT_YEARS * YEAR_MS };
  const extensions = [authorityConstraints(), keyUsage('sign-certificates'), subjectKeyIdentifier(spki)];
  const names = { issuer: commonName(name), subject: commonName(name) };
  const content = { serial: randomSerial(random), ...names, ...validity, spki, extensions };
  return { certificatePem: writeCertificate(content, privateKey), keyPem: pkcs8(privateKey) };
}

/** What differs between the certificates that it issues. */
type Wish = Pick<CertificateContent, 'notAfterMs' | 'spki' | 'extensions'> & { readonly subject: string };

export class PrivateCa {
  readonly rootPem: string;
  readonly #world: World;
  readonly #key: KeyObject;
  readonly #issuer: Issuer;

  /** @throws LanyardError `config-invalid` unless they are a CA's certificate and the key that belongs to it. */
  constructor({ certificatePem, keyPem }: KeyAndCertificate, world: World) {
    this.rootPem = certificatePem;
    this.#world = world;
    const certificate = readRoot(certificatePem);
    this.#key = readRootKey(keyPem);
    if (!certificate.checkPrivateKey(this.#key)) {
      throw new LanyardError('config-invalid', { message: 'the private CA’s key is not that of its certificate' });
    }
    this.#issuer = readIssuer(certificate.raw);
  }

  /** @throws LanyardError `csr-invalid` | `csr-weak-key`. */
  async readIdentityKey(material: IdentityMaterial): Promise<IdentityKey> {
    if ('csrPem' in material) return readIdentityRequest(derOf(material.csrPem, 'CERTIFICATE REQUEST'));
    const spki = derOf(material.publicKeyPem, 'PUBLIC KEY');
    readP256Key(spki);
    return { spki, keyHash: keyHashOf(spki) };
  }

  /**
   * PEM of a client certificate whose common name is the device id.
   * @throws LanyardError `appliance-id-invalid` | `csr-weak-key`.
   */
  async issueIdentity(deviceId: string, key: { readonly spki: Uint8Array }): Promise<string> {
    if (!isDeviceId(deviceId)) throw new LanyardError('appliance-id-invalid');
    readP256Key(key.spki);
    const extensions = [keyUsage('authenticate'), extendedKeyUsage('clientAuth')];
    return this.#issue({ subject: deviceId, notAfterMs: NEVER_MS, spki: key.spki, extensions });
  }

  /**
   * The broker's own certificate, with a key of its own that is never stored.
   * @param names host names and IP literals.
   * @throws LanyardError `config-invalid` for anything else.
   */
  async issueServer(names: readonly string[]): Promise<KeyAndCertificate> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const extensions = [keyUsage('authenticate'), extendedKeyUsage('serverAuth'), alternativeNames(names)];
    // RFC 5280 §6.1: past the root's end nothing verifies that it signed, whatever it says itself.
    const notAfterMs = Math.min(this.#world.clock.nowMs() + SERVER_YEARS * YEAR_MS, this.#issuer.notAfterMs);
    const certificatePem = this.#issue({ subject: 'Lanyard broker', notAfterMs, spki: spkiOf(publicKey), extensions });
    return { certificatePem, keyPem: pkcs8(privateKey) };
  }

  #issue({ subject, ...wish }: Wish): string {
    const { clock, random } = this.#world;
    const identifiers = [subjectKeyIdentifier(wish.spki), authorityKeyIdentifier(this.#issuer.keyIdentifier)];
    const notBeforeMs = clock.nowMs() - BACKDATE_MS;
    const extensions = [...wish.extensions, ...identifiers];
    const names = { issuer: this.#issuer.name, subject: commonName(subject) };
    const content = { ...wish, ...names, extensions, serial: randomSerial(random), notBeforeMs };
    return writeCertificate(content, this.#key);
  }
}

function readRoot(pem: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new LanyardError('config-invalid', { cause, message: 'the private CA’s certificate cannot be read' });
  }
  if (certificate.ca) return certificate;
  throw new LanyardError('config-invalid', { message: 'the private CA’s certificate is not that of a CA' });
}

function readRootKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new LanyardError('config-invalid', { cause, message: 'the private CA’s key cannot be read' });
  }
  // Certificates are written with one algorithm, ECDSA with SHA-256.
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new LanyardError('config-invalid', { message: 'the private CA’s key is not an ECDSA key on P-256' });
}

/** RFC 5280 §4.1.2.2: positive, not zero, at most 20 octets. 126 random bits never collide. */
function randomSerial(random: Random): Uint8Array {
  const serial = random.bytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
}

function pkcs8(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Base64 is a third longer than what it stands for; the rest is for the lines and for text around them. */
const LONGEST_PEM = 2 * LIMITS.csrBytes;

/** RFC 7468: the bytes between the lines. Older tools write NEW CERTIFICATE REQUEST. */
function derOf(pem: string, label: string): Uint8Array {
  if (pem.length > LONGEST_PEM) return refuseRequest(`it has more than ${LONGEST_PEM} characters`);
  const block = new RegExp(`-----BEGIN (?:NEW )?${label}-----([A-Za-z0-9+/=\\s]+)-----END (?:NEW )?${label}-----`).exec(
    pem,
  );
  if (block?.[1] === undefined) return refuseRequest(`no ${label} in PEM was given`);
  return new Uint8Array(Buffer.from(block[1], 'base64'));
}
