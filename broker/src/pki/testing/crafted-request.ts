/** Signing requests made byte by byte, so that a test can make any of them wrong. Only for tests. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** One element: tag, length in the shortest form, contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => element(0x30, ...contents);
export const set = (...contents: readonly Uint8Array[]): Buffer => element(0x31, ...contents);
export const integer = (...bytes: readonly number[]): Buffer => element(0x02, Buffer.from(bytes));
export const oid = (hex: string): Buffer => element(0x06, Buffer.from(hex, 'hex'));
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text));
export const octets = (contents: Uint8Array): Buffer => element(0x04, contents);
export const bits = (contents: Uint8Array, unused = 0): Buffer => element(0x03, Buffer.from([unused]), contents);
export const boolean = (value: number): Buffer => element(0x01, Buffer.from([value]));
export const dnsName = (name: string): Buffer => element(0x82, Buffer.from(name, 'latin1'));

export const OID = {
  commonName: '550403',
  extensionRequest: '2a864886f70d01090e',
  challengePassword: '2a864886f70d010907',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
} as const;
export const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));

export interface Crafted {
  readonly version?: Buffer;
  readonly subject?: Buffer;
  readonly spki?: Buffer;
  /** The whole [0] element; undefined leaves it out. */
  readonly attributes?: Buffer | undefined;
  readonly algorithm?: Buffer;
  /** The contents of the signature's BIT STRING, made from the real ones. */
  readonly signature?: (real: Buffer) => Buffer;
  readonly key?: KeyObject;
  readonly hash?: string;
  /** Beside or after what belongs into the request. */
  readonly extra?: Buffer;
}

const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const craftedSpki: Buffer = keyPair.publicKey.export({ format: 'der', type: 'spki' });

/** A request that is right but for what `crafted` says; signed after that, so that only one thing is wrong. */
export function craftRequest(crafted: Crafted = {}): Buffer {
  const key = crafted.key ?? keyPair.privateKey;
  const attributes = 'attributes' in crafted ? crafted.attributes : namesAttribute(dnsName('a.devices.example'));
  const info = sequence(
    crafted.version ?? integer(0),
    crafted.subject ?? sequence(),
    crafted.spki ?? craftedSpki,
    ...(attributes ? [attributes] : []),
  );
  const real = sign(crafted.hash ?? 'sha256', info, key);
  const signature = bits(crafted.signature ? crafted.signature(real) : real);
  return sequence(info, crafted.algorithm ?? ECDSA_WITH_SHA256, signature, ...(crafted.extra ? [crafted.extra] : []));
}

/** The attributes of a request for these alternative names. */
export function namesAttribute(...generalNames: readonly Buffer[]): Buffer {
  return extensionsAttribute(namesExtension(...generalNames));
}

export function extensionsAttribute(...extensions: readonly Buffer[]): Buffer {
  return element(0xa0, sequence(oid(OID.extensionRequest), set(sequence(...extensions))));
}

export function namesExtension(...generalNames: readonly Buffer[]): Buffer {
  return sequence(oid(OID.subjectAltName), octets(sequence(...generalNames)));
}

export function subjectOf(...commonNames: readonly string[]): Buffer {
  return sequence(...commonNames.map((name) => set(sequence(oid(OID.commonName), utf8(name)))));
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  return [0x82, length >> 8, length & 0xff];
}
