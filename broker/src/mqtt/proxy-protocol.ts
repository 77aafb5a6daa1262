/** Reads the PROXY protocol header (versions 1 and 2) that a load balancer puts before everything else. */
import { isIPv4, isIPv6 } from 'node:net';

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | {
      readonly kind: 'header';
      /** How many bytes it takes; what follows belongs to the client. */
      readonly sizeBytes: number;
      /** Absent when the balancer speaks for itself (health checks) or of something that is not TCP over IP. */
      readonly sourceAddress?: string;
    };

/** The specification, § 2.1: a version 1 line has at most 107 bytes. */
const LONGEST_V1_BYTES = 107;

/** § 2.2: addresses take 36 bytes at most; the rest is for extensions, of which a client certificate is the largest. */
export const LONGEST_PROXY_HEADER_BYTES = 4096;

const V1_START = Buffer.from('PROXY ');
const V2_START = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const V2_FIXED_BYTES = 16;

/** @param bytes all that the balancer has sent so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V2_START)) return readVersion2(bytes);
  if (startsLike(bytes, V1_START)) return readVersion1(bytes);
  return malformed('no PROXY protocol header');
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function readVersion1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, LONGEST_V1_BYTES).indexOf('\r\n');
  if (end < 0) return bytes.length < LONGEST_V1_BYTES ? { kind: 'incomplete' } : malformed('the line does not end');
  const sizeBytes = end + 2;
  const [, family, source, target, sourcePort, targetPort, ...rest] = bytes.toString('latin1', 0, end).split(' ');
  // § 2.1: after UNKNOWN the rest of the line means nothing.
  if (family === 'UNKNOWN') return { kind: 'header', sizeBytes };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false;
  const fits = rest.length === 0 && isAddress(source ?? '') && isAddress(target ?? '');
  if (!fits || source === undefined || !isPort(sourcePort) || !isPort(targetPort)) return malformed('a wrong line');
  return { kind: 'header', sizeBytes, sourceAddress: source };
}

function readVersion2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED_BYTES) return { kind: 'incomplete' };
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  const family = bytes.readUInt8(13);
  const sizeBytes = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (version !== 2 || command > 1) return malformed('an unknown version or command');
  if (sizeBytes > LONGEST_PROXY_HEADER_BYTES) return malformed('a header that is too long');
  if (bytes.length < sizeBytes) return { kind: 'incomplete' };
  const body = bytes.subarray(V2_FIXED_BYTES, sizeBytes);
  // § 2.2: LOCAL (0) is the balancer's own connection.
  if (command === 0) return { kind: 'header', sizeBytes };
  switch (family) {
    case 0x11:
      if (body.length < 12) return malformed('addresses that are cut short');
      return { kind: 'header', sizeBytes, sourceAddress: body.subarray(0, 4).join('.') };
    case 0x21:
      if (body.length < 36) return malformed('addresses that are cut short');
      return { kind: 'header', sizeBytes, sourceAddress: ipv6(body.subarray(0, 16)) };
    default:
      return { kind: 'header', sizeBytes };
  }
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The WHATWG serialiser shortens as RFC 5952 asks.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}
