/** One way to write where a connection comes from, and which addresses count as one source. */
import { isIPv4, isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** An IPv4 client of a dual-stack socket shows as `::ffff:192.0.2.1`: written as what it is. */
export function plainAddress(address: string): string {
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  return mapped !== undefined && isIPv4(mapped) ? mapped : address;
}

/** The key to count by: an IPv4 address, or the /64 that one IPv6 site gets and can choose addresses from freely. */
export function sourceKey(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) ? firstFourGroups(plain) : plain;
}

function firstFourGroups(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
