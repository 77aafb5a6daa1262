/** How the CA counts by a client's address: IPv4 and IPv6 each, and IPv6 by the /48 besides. */

/** One spelling for an address, with IPv4 out of its IPv6 wrapping (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  const lower = address.toLowerCase();
  return lower.startsWith('::ffff:') && lower.includes('.') ? lower.slice('::ffff:'.length) : lower;
}

/**
 * The /48 around an IPv6 address: the three groups that a site gets (RFC 6177); nothing for IPv4.
 * @param address in its plain spelling.
 */
export function rangeOf(address: string): string | undefined {
  if (!address.includes(':')) return undefined;
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : [];
  const groups = [...before, ...zeros, ...after].slice(0, 3).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(':')}::/48`;
}
