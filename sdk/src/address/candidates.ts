/** Which of a machine's addresses are worth reporting to the broker, and in which order. */
import { isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import type { ReportedAddress } from '../protocol/hello.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { RoutesAndFlags } from './linux-network.ts';

/** As `os.networkInterfaces()` gives them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * Interfaces that lead to containers, virtual machines or tunnels: nobody in the LAN reaches an address there.
 * `br-` alone is not enough: Docker's bridges are `br-` and twelve hex digits, while OpenWrt's LAN is `br-lan`.
 */
const VIRTUAL =
  /^(lo\d*$|docker|br-[0-9a-f]{12}$|veth|virbr|vnet\d|vmnet|vboxnet|vEthernet|lxcbr|lxdbr|podman|cni|flannel|cali|kube|cilium|nerdctl|dummy|ifb|tun|tap|utun|wg|ppp|ipsec|vti|gre|sit|ip6tnl|tailscale|zt|nordlynx|awdl|llw)/;

/** Reachable addresses, those of the default route first, then by interface and address: the order never flickers. */
export function candidates(interfaces: Interfaces, network: RoutesAndFlags): readonly ReportedAddress[] {
  const all = Object.entries(interfaces)
    .filter(([name]) => !VIRTUAL.test(name))
    .flatMap(([name, infos = []]) =>
      infos
        .filter((info) => isReachable(info, network))
        .map(({ address }) => ({
          address,
          interface: name.slice(0, LIMITS.interfaceCharacters),
          isDefaultRoute: name === (isIPv6(address) ? network.defaultIpv6 : network.defaultIpv4),
        })),
    )
    .toSorted(inOrder)
    .slice(0, LIMITS.addresses);
  // Without a known route, on other systems or with policy routing, the first is the best guess.
  if (all.some(({ isDefaultRoute }) => isDefaultRoute)) return all;
  return all.map((each, index) => ({ ...each, isDefaultRoute: index === 0 }));
}

function isReachable({ address, internal }: NetworkInterfaceInfo, { fleetingIpv6 }: RoutesAndFlags): boolean {
  if (internal) return false;
  // RFC 3927 and RFC 4291 §2.5.6: link-local, of no use in the DNS.
  if (!isIPv6(address)) return !address.startsWith('169.254.') && !address.startsWith('127.') && address !== '0.0.0.0';
  const digits = ipv6Digits(address);
  return !/^fe[89ab]/.test(digits) && !fleetingIpv6.has(digits);
}

/** The 32 hex digits of an IPv6 literal, as /proc/net writes it. */
function ipv6Digits(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const missing = tail === undefined ? 0 : 8 - groupsOf(head).length - groupsOf(tail).length;
  const zeros = Array.from({ length: Math.max(0, missing) }, () => '0');
  return [...groupsOf(head), ...zeros, ...groupsOf(tail ?? '')].map((group) => group.padStart(4, '0')).join('');
}

function groupsOf(part: string): readonly string[] {
  return part === '' ? [] : part.split(':');
}

function inOrder(one: ReportedAddress, other: ReportedAddress): number {
  return (
    Number(other.isDefaultRoute) - Number(one.isDefaultRoute) ||
    Number(isIPv6(one.address)) - Number(isIPv6(other.address)) ||
    compare(one.interface, other.interface) ||
    compare(one.address, other.address)
  );
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
