/** Which of an appliance's addresses its name may point at, and why not the others. Pure. */
import type { ReportedAddress, WithheldAddress } from '@lanyard/sdk/protocol';

export interface AddressPolicy {
  /** RFC 6598 carrier-grade NAT addresses, 100.64.0.0/10. */
  readonly allowCgnat: boolean;
  /** Addresses that are reachable from the Internet. */
  readonly allowGlobal: boolean;
}

export interface AddressChoice {
  readonly published: readonly string[];
  readonly withheld: readonly WithheldAddress[];
}

/** One name with many addresses makes browsers try dead ones: two per family are enough for two interfaces. */
const MOST_PER_FAMILY = 2;

type AddressKind = 'private' | 'cgnat' | 'global' | 'never';

/**
 * Private addresses (RFC 1918, unique local RFC 4193) always, CGNAT and global ones by permission; loopback,
 * link-local, multicast and reserved ones never: a name of ours must not become a way to a visitor's own machine or
 * to a cloud's metadata service. Interfaces with the default route come first.
 */
export function chooseAddresses(reported: readonly ReportedAddress[], policy: AddressPolicy): AddressChoice {
  const published: string[] = [];
  const withheld: WithheldAddress[] = [];
  const inOrder = [...reported].toSorted((a, b) => Number(b.isDefaultRoute) - Number(a.isDefaultRoute));
  for (const { address } of inOrder) {
    const literal = canonical(address);
    const reason = literal === undefined ? 'not-an-address' : objection(literal, policy);
    if (literal === undefined || reason) withheld.push({ address, reason: reason ?? 'not-an-address' });
    else if (published.includes(literal)) continue;
    else if (published.filter((other) => isV6(other) === isV6(literal)).length >= MOST_PER_FAMILY) {
      withheld.push({ address, reason: 'too-many' });
    } else published.push(literal);
  }
  return { published, withheld };
}

function objection(address: string, policy: AddressPolicy): WithheldAddress['reason'] | undefined {
  switch (isV6(address) ? kindOfV6(address) : kindOfV4(address)) {
    case 'private':
      return undefined;
    case 'cgnat':
      return policy.allowCgnat ? undefined : 'not-permitted';
    case 'global':
      return policy.allowGlobal ? undefined : 'not-permitted';
    case 'never':
      return 'never-published';
  }
}

function isV6(address: string): boolean {
  return address.includes(':');
}

/** The one spelling under which an address is compared and published; undefined when it is none. */
function canonical(address: string): string | undefined {
  if (!address.includes(':')) return parseV4(address) === undefined ? undefined : address;
  // Nothing that means something else in a URL, and no zone index, which means something on one machine only.
  const url = `http://[${address}]/`;
  if (!/^[\da-f:.]+$/i.test(address) || !URL.canParse(url)) return undefined;
  // The URL parser writes IPv6 literals by RFC 5952, an embedded IPv4 tail in hexadecimal.
  return new URL(url).hostname.slice(1, -1);
}

/** The address as a 32-bit number; only the dotted form with four decimal numbers and no leading zeros counts. */
function parseV4(address: string): number | undefined {
  const parts = address.split('.');
  const isDotted = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isDotted ? parts.reduce((sum, part) => sum * 256 + Number(part), 0) : undefined;
}

/** The IANA special-purpose registry (RFC 6890), as far as it matters here. */
const V4_RANGES: readonly (readonly [prefix: string, bits: number, kind: AddressKind])[] = [
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['100.64.0.0', 10, 'cgnat'],
  ['0.0.0.0', 8, 'never'],
  ['127.0.0.0', 8, 'never'],
  ['169.254.0.0', 16, 'never'],
  ['192.0.0.0', 24, 'never'],
  ['192.0.2.0', 24, 'never'],
  ['192.88.99.0', 24, 'never'],
  ['198.18.0.0', 15, 'never'],
  ['198.51.100.0', 24, 'never'],
  ['203.0.113.0', 24, 'never'],
  ['224.0.0.0', 3, 'never'],
];

function kindOfV4(address: string): AddressKind {
  const value = parseV4(address) ?? 0;
  const range = V4_RANGES.find(([prefix, bits]) => {
    const span = 2 ** (32 - bits);
    return Math.floor(value / span) === Math.floor((parseV4(prefix) ?? 0) / span);
  });
  return range?.[2] ?? 'global';
}

/** Where clouds serve metadata inside the unique local range: AWS and Google. */
const METADATA_V6 = /^(fd00:ec2:|fd20:ce:)/;

/**
 * On a canonical literal the first groups tell the range; only 2000::/3 is global unicast (RFC 4291 §2.4). Of it,
 * 2002::/16 and 2001::/32 carry an IPv4 address inside; the rest of 2001::/23 is for protocols (RFC 2928), and
 * 2001:db8::/32 and 3fff::/20 are for documentation.
 */
function kindOfV6(address: string): AddressKind {
  const [first = 0, second = 0] =
    address
      .split('::')[0]
      ?.split(':')
      .map((group) => Number.parseInt(group || '0', 16)) ?? [];
  if ((first & 0xfe00) === 0xfc00) return METADATA_V6.test(address) ? 'never' : 'private';
  const isForProtocols = first === 0x2001 && (second < 0x200 || second === 0xdb8);
  const isDocumentation = first === 0x3fff && second < 0x1000;
  if (isForProtocols || isDocumentation || first === 0x2002) return 'never';
  return (first & 0xe000) === 0x2000 ? 'global' : 'never';
}
