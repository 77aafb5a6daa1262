/** Which addresses the Internet can reach. */
import { BlockList, isIPv6 } from 'node:net';

/** IANA's special-purpose registry (RFC 6890), multicast and beyond; of IPv6 only 2000::/3 is given out. */
const NOT_PUBLIC: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['2001:db8::', 32],
];

const notPublic = new BlockList();
for (const [network, prefix] of NOT_PUBLIC) notPublic.addSubnet(network, prefix, isIPv6(network) ? 'ipv6' : 'ipv4');
const given = new BlockList();
given.addSubnet('2000::', 3, 'ipv6');

export function isPublic(address: string): boolean {
  if (!isIPv6(address)) return !notPublic.check(address, 'ipv4');
  return given.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
}

/** One spelling for each: `2001:DB8:0::1` and `2001:db8::1` are the same. */
export function canonicalAddress(address: string): string {
  if (!isIPv6(address)) return address;
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address;
}
