/** Who asks, if a proxy asks for somebody. */
import type { Networks } from './networks.ts';

/**
 * From the connection backwards through X-Forwarded-For, as far as each word is that of a proxy of ours: what stands
 * further in front the client could have written itself.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, proxies: Networks): string {
  const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim());
  let address = peer;
  for (const hop of hops.toReversed()) {
    if (hop === '' || !proxies.has(address)) return address;
    address = hop;
  }
  return address;
}
