/** What Linux tells in /proc/net that Node does not: default routes, and which IPv6 addresses do not last. */
import { readFile } from 'node:fs/promises';

export interface RoutesAndFlags {
  /** Interfaces through which the default route of a family leaves; of several the one with the lowest metric. */
  readonly defaultIpv4: string | undefined;
  readonly defaultIpv6: string | undefined;
  /** IPv6 addresses, 32 hex digits, that must not get into the DNS: temporary, deprecated, unconfirmed or duplicate. */
  readonly fleetingIpv6: ReadonlySet<string>;
}

export type ReadText = (path: string) => Promise<string>;

/** RTF_UP of linux/route.h: routes without it are not used. */
const ROUTE_IS_UP = 0x1;
/** IFA_F_TEMPORARY 0x01, IFA_F_DADFAILED 0x08, IFA_F_DEPRECATED 0x20, IFA_F_TENTATIVE 0x40 of linux/if_addr.h. */
const IS_FLEETING = 0x01 | 0x08 | 0x20 | 0x40;
/** Anything larger belongs to a router with a full routing table, whose default route comes first anyway. */
const CHARACTERS = 256 * 1024;

/** On other systems, and where a file cannot be read, that part is simply unknown. */
export async function readLinuxNetwork(readText: ReadText = readProc): Promise<RoutesAndFlags> {
  const read = (path: string): Promise<string> =>
    readText(path).then(
      (text) => text.slice(0, CHARACTERS),
      () => '',
    );
  const [route, route6, inet6] = await Promise.all([
    read('/proc/net/route'),
    read('/proc/net/ipv6_route'),
    read('/proc/net/if_inet6'),
  ]);
  return {
    defaultIpv4: defaultIpv4(route),
    defaultIpv6: defaultIpv6(route6),
    fleetingIpv6: fleetingIpv6(inet6),
  };
}

function readProc(path: string): Promise<string> {
  return readFile(path, 'latin1');
}

/** Iface Destination Gateway Flags RefCnt Use Metric Mask …; numbers in hex, the metric in decimal. */
function defaultIpv4(text: string): string | undefined {
  const routes = rows(text, 8).flatMap(([name = '', destination, , flags = '', , , metric, mask]) => {
    const isDefault = destination === '00000000' && mask === '00000000' && isUp(flags);
    return isDefault ? [{ name, metric: Number(metric) }] : [];
  });
  return cheapest(routes);
}

/** Destination length source length gateway metric refcount use flags name; numbers in hex. */
function defaultIpv6(text: string): string | undefined {
  const routes = rows(text, 10).flatMap(([destination, length, , , , metric = '', , , flags = '', name = '']) => {
    // The kernel keeps an unreachable default route on lo.
    const isDefault = /^0{32}$/.test(destination ?? '') && length === '00' && name !== 'lo' && isUp(flags);
    return isDefault ? [{ name, metric: Number.parseInt(metric, 16) }] : [];
  });
  return cheapest(routes);
}

/** Address interface-index length scope flags name; numbers in hex. */
function fleetingIpv6(text: string): ReadonlySet<string> {
  const fleeting = rows(text, 6).filter(([, , , , flags = '']) => (Number.parseInt(flags, 16) & IS_FLEETING) !== 0);
  return new Set(fleeting.map(([address = '']) => address.toLowerCase()));
}

function isUp(flags: string): boolean {
  return (Number.parseInt(flags, 16) & ROUTE_IS_UP) !== 0;
}

function cheapest(routes: readonly { readonly name: string; readonly metric: number }[]): string | undefined {
  return routes.toSorted((one, other) => one.metric - other.metric)[0]?.name;
}

function rows(text: string, columns: number): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= columns);
}
