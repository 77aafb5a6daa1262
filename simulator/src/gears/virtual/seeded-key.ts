/** P-256 keys that come from a seed, and signatures that come from the key: the same run makes the same bytes. */
import { createECDH, createHash, createPublicKey, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** The order of the curve's base point (FIPS 186-5; SEC 2 §2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const SCALAR_BYTES = 32;
/** Integers r and s of a signature, in DER: one of them begins with a zero octet, the other does not. */
const INTEGER_BYTES = 65;

/** PKCS#8 (RFC 5208) around RFC 5915, up to the scalar, and from there to the point. */
const PRIVATE_HEAD = Buffer.from('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex');
const PRIVATE_MIDDLE = Buffer.from('a144034200', 'hex');
/** SubjectPublicKeyInfo (RFC 5480) up to the point. */
const PUBLIC_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** One for all: it is set anew for every use. */
const curve = createECDH('prime256v1');

export class SeededKey {
  /** DER of its SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly #scalar: Buffer;
  readonly #point: Buffer;

  private constructor(scalar: Buffer, point: Buffer) {
    this.#scalar = scalar;
    this.#point = point;
    this.publicKey = Buffer.concat([PUBLIC_HEAD, point]);
  }

  /** @param seed of this key alone. */
  static from(seed: string): SeededKey {
    const scalar = scalarFrom([seed]);
    return new SeededKey(scalar, pointOf(scalar));
  }

  /** @param pem as `pem` wrote it. */
  static read(pem: string): SeededKey {
    const der = Buffer.from(pem.slice(PEM_BEGIN.length, -PEM_END.length), 'base64');
    const pointAt = PRIVATE_HEAD.length + SCALAR_BYTES + PRIVATE_MIDDLE.length;
    return new SeededKey(der.subarray(PRIVATE_HEAD.length, PRIVATE_HEAD.length + SCALAR_BYTES), der.subarray(pointAt));
  }

  /** PKCS#8 PEM, as the SDK keeps it. */
  get pem(): string {
    const der = Buffer.concat([PRIVATE_HEAD, this.#scalar, PRIVATE_MIDDLE, this.#point]);
    return PEM_BEGIN + (der.toString('base64').match(/.{1,64}/g) ?? []).join('\n') + PEM_END;
  }

  /** SHA-256 of `publicKey`, lower-case hex. */
  get hash(): string {
    return hash('sha256', this.publicKey, 'hex');
  }

  get publicKeyObject(): KeyObject {
    return createPublicKey({ key: this.publicKey, format: 'der', type: 'spki' });
  }

  /**
   * DER of the ECDSA signature with SHA-256. Its nonce comes from key and message, as in RFC 6979 and simpler, and its
   * size is always the same, so that what an appliance writes to its flash never depends on the luck of a signature.
   */
  readonly sign = (message: Uint8Array): Buffer => {
    const digest = createHash('sha256').update(message).digest();
    for (let attempt = 0; ; attempt++) {
      const nonce = scalarFrom([this.#scalar, digest, String(attempt)]);
      const r = integer(pointOf(nonce).subarray(1, 1 + SCALAR_BYTES)) % ORDER;
      const s = (inverse(integer(nonce)) * ((integer(digest) + r * integer(this.#scalar)) % ORDER)) % ORDER;
      if (r === 0n || s === 0n) continue;
      // With s, its negative is as good a signature, and one of the two has the wanted size.
      const fitting = [s, ORDER - s].map((one) => [derInteger(r), derInteger(one)]).find(isOfSize);
      if (fitting !== undefined) return Buffer.concat([Buffer.of(0x30, INTEGER_BYTES + 4), ...fitting]);
    }
  };
}

const PEM_BEGIN = '-----BEGIN PRIVATE KEY-----\n';
const PEM_END = '\n-----END PRIVATE KEY-----\n';

function isOfSize(integers: readonly Buffer[]): boolean {
  return integers.reduce((sum, { length }) => sum + length - 2, 0) === INTEGER_BYTES;
}

/** In [1, ORDER): all but one of 2^32 hashes are. */
function scalarFrom(parts: readonly (string | Uint8Array)[]): Buffer {
  for (let attempt = 0; ; attempt++) {
    const hashing = createHash('sha256');
    for (const part of parts) hashing.update(part);
    const candidate = hashing.update(String.fromCharCode(attempt)).digest();
    const value = integer(candidate);
    if (value > 0n && value < ORDER) return candidate;
  }
}

/** Uncompressed: 0x04, x, y. */
function pointOf(scalar: Buffer): Buffer {
  curve.setPrivateKey(scalar);
  return curve.getPublicKey();
}

function integer(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

/** Modulo ORDER, by Euclid. */
function inverse(value: bigint): bigint {
  let [low, high, x, y] = [value, ORDER, 1n, 0n];
  while (low > 1n) {
    const quotient = high / low;
    [low, high, x, y] = [high - quotient * low, low, y - quotient * x, x];
  }
  return x < 0n ? x + ORDER : x;
}

/** X.690 §8.3: as few octets as possible, the first bit being the sign. */
function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const contents = Buffer.from(Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even, 'hex');
  return Buffer.concat([Buffer.of(0x02, contents.length), contents]);
}
