import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../protocol/limits.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { candidates } from './candidates.ts';
import type { Interfaces } from './candidates.ts';
import { fixedAddresses } from './fixed-addresses.ts';
import { lanAddresses } from './lan-addresses.ts';
import { readLinuxNetwork } from './linux-network.ts';
import type { RoutesAndFlags } from './linux-network.ts';

const UNKNOWN: RoutesAndFlags = { defaultIpv4: undefined, defaultIpv6: undefined, fleetingIpv6: new Set() };
const ROUTED: RoutesAndFlags = { ...UNKNOWN, defaultIpv4: 'eth1', defaultIpv6: 'eth1' };

describe('which addresses are reported', () => {
  test('none of loopback, link-local, containers, virtual machines and tunnels', () => {
    const virtual =
      'docker0 br-0a1b2c3d4e5f veth12ab virbr0 vnet0 lxdbr0 cni0 flannel.1 cali123 tun0 tap0 wg0 ppp0 tailscale0 ztab utun3 lo0';
    const interfaces: Record<string, NetworkInterfaceInfo[]> = {
      lo: [ip('127.0.0.1', { internal: true }), ip('::1', { internal: true })],
      eth0: [ip('169.254.7.7'), ip('fe80::1'), ip('febf::1'), ip('10.1.1.4')],
    };
    for (const name of virtual.split(' ')) interfaces[name] = [ip('10.9.9.9'), ip('fd00::9')];
    expect(candidates(interfaces, UNKNOWN).map(({ address }) => address)).toEqual(['10.1.1.4']);
  });

  test.each(['eth0', 'br-lan', 'br0', 'bond0', 'wlan0', 'wlp3s0', 'enp0s31f6', 'end0', 'Ethernet', 'eth0.100'])(
    'those of %s',
    (name) => {
      expect(candidates({ [name]: [ip('10.1.1.4')] }, UNKNOWN)).toEqual([
        { address: '10.1.1.4', interface: name, isDefaultRoute: true },
      ]);
    },
  );

  test('those of the default route first, each family by its own route', () => {
    const interfaces = { eth0: [ip('10.0.0.1'), ip('fd00::1')], eth1: [ip('10.0.1.1'), ip('fd00:1::1')] };
    expect(candidates(interfaces, { ...ROUTED, defaultIpv6: 'eth0' })).toEqual([
      { address: '10.0.1.1', interface: 'eth1', isDefaultRoute: true },
      { address: 'fd00::1', interface: 'eth0', isDefaultRoute: true },
      { address: '10.0.0.1', interface: 'eth0', isDefaultRoute: false },
      { address: 'fd00:1::1', interface: 'eth1', isDefaultRoute: false },
    ]);
  });

  test('in an order that does not depend on the system', () => {
    const one = { eth0: [ip('10.0.0.2'), ip('10.0.0.1')], eth1: [ip('10.0.1.1')] };
    const other = { eth1: [ip('10.0.1.1')], eth0: [ip('10.0.0.1'), ip('10.0.0.2')] };
    expect(candidates(one, UNKNOWN)).toEqual(candidates(other, UNKNOWN));
  });

  test('no temporary IPv6 address, however it is written', async () => {
    const network = await readLinuxNetwork(
      procFile('if_inet6', [
        'fd000000000000000000000000000001 02 40 00 80 eth0',
        'fd000000000000001234567890abcdef 02 40 00 01 eth0',
        '20010db8000000000000000000000002 02 40 00 20 eth0',
        '20010db8000000000000000000000003 02 40 00 c0 eth0',
      ]),
    );
    const addresses = ['fd00::1', 'FD00::1234:5678:90ab:cdef', '2001:db8::2', '2001:db8:0:0:0:0:0:3'];
    const found = candidates({ eth0: addresses.map((address) => ip(address)) }, network);
    expect(found.map(({ address }) => address)).toEqual(['fd00::1']);
  });

  test('as many as the wire takes', () => {
    const many = Array.from({ length: 200 }, (_, index) => ip(`10.0.0.${index}`));
    expect(candidates({ ['x'.repeat(100)]: many }, UNKNOWN)).toHaveLength(LIMITS.addresses);
    expect(candidates({ ['x'.repeat(100)]: many }, UNKNOWN)[0]?.interface).toHaveLength(LIMITS.interfaceCharacters);
  });
});

describe('the default route', () => {
  const HEADER = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';

  test('is the one with the lowest metric that is up', async () => {
    const network = await readLinuxNetwork(
      procFile('route', [
        HEADER,
        'wlan0\t00000000\t0101010A\t0003\t0\t0\t600\t00000000\t0\t0\t0',
        'eth0\t00000000\t0101010A\t0003\t0\t0\t100\t00000000\t0\t0\t0',
        'eth1\t00000000\t0101010A\t0002\t0\t0\t50\t00000000\t0\t0\t0',
        'eth2\t0001010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
      ]),
    );
    expect(network.defaultIpv4).toBe('eth0');
  });

  test('of IPv6 is not the unreachable one on lo', async () => {
    const zero = '0'.repeat(32);
    const network = await readLinuxNetwork(
      procFile('ipv6_route', [
        `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200201       lo`,
        `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0`,
        `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth1`,
      ]),
    );
    expect(network.defaultIpv6).toBe('eth0');
  });

  test.each(['', 'rubbish', `${'x '.repeat(40)}\n`, '\0\0\0'])('is unknown after "%s"', async (text) => {
    const network = await readLinuxNetwork(async () => text);
    expect(network).toEqual(UNKNOWN);
  });

  test('is unknown where there is no /proc', async () => {
    expect(await readLinuxNetwork(() => Promise.reject(new Error('ENOENT')))).toEqual(UNKNOWN);
  });
});

describe('LAN addresses', () => {
  test('are known when the start has finished, without a call', async () => {
    const { source, changes } = await watch({ eth0: [ip('10.1.1.4')] });
    expect(addressesOf(source)).toEqual(['10.1.1.4']);
    expect(changes()).toBe(0);
  });

  test('that change are told when they have held still for five seconds', async () => {
    const { source, clock, changes, set } = await watch({ eth0: [ip('10.1.1.4')] });
    set({ eth0: [ip('10.1.1.5')] });
    await clock.advance(19_999);
    expect(changes()).toBe(0);
    expect(addressesOf(source)).toEqual(['10.1.1.4']);
    await clock.advance(1);
    expect(changes()).toBe(1);
    expect(addressesOf(source)).toEqual(['10.1.1.5']);
    await clock.advance(60_000);
    expect(changes()).toBe(1);
  });

  test('that go on changing are told once, when they have come to rest', async () => {
    const { source, clock, changes, set } = await watch({});
    await clock.advance(14_000);
    for (let last = 1; last <= 10; last += 1) {
      set({ eth0: [ip(`10.1.1.${last}`)] });
      await clock.advance(3_000);
      expect(changes()).toBe(0);
    }
    await clock.advance(10_000);
    expect(changes()).toBe(1);
    expect(addressesOf(source)).toEqual(['10.1.1.10']);
  });

  test('that come back at once are not told at all', async () => {
    const { clock, changes, set } = await watch({ eth0: [ip('10.1.1.4')] });
    set({});
    await clock.advance(16_000);
    set({ eth0: [ip('10.1.1.4')] });
    await clock.advance(60_000);
    expect(changes()).toBe(0);
  });

  test('stay what they were while the system does not tell', async () => {
    const { source, clock, changes, fail } = await watch({ eth0: [ip('10.1.1.4')] });
    fail(true);
    await clock.advance(60_000);
    expect(addressesOf(source)).toEqual(['10.1.1.4']);
    fail(false);
    await clock.advance(60_000);
    expect(changes()).toBe(0);
  });

  test('are not watched after a stop, and again after a start', async () => {
    const { source, clock, changes, set } = await watch({ eth0: [ip('10.1.1.4')] });
    await source.stop();
    expect(clock.nextTimerMs()).toBeUndefined();
    set({ eth0: [ip('10.1.1.5')] });
    await clock.advance(60_000);
    expect(changes()).toBe(0);
    await source.start();
    expect(addressesOf(source)).toEqual(['10.1.1.5']);
    set({ eth0: [ip('10.1.1.6')] });
    await clock.advance(60_000);
    expect(changes()).toBe(1);
  });

  test('of this very machine can be read', async () => {
    const source = lanAddresses({ clock: new VirtualClock() });
    await source.start();
    for (const { address } of source.current()) expect(address).not.toMatch(/^(127\.|169\.254\.|fe80|::1$)/);
    expect(source.current().filter(({ isDefaultRoute }) => isDefaultRoute).length).toBeLessThanOrEqual(32);
    await source.stop();
  });
});

test('fixed addresses tell a change while they are started', async () => {
  const eth0 = { address: '10.1.1.4', interface: 'eth0', isDefaultRoute: true };
  const source = fixedAddresses([eth0]);
  let changes = 0;
  source.onChange(() => (changes += 1));
  source.change([{ ...eth0, address: '10.1.1.5' }]);
  expect(changes).toBe(0);
  await source.start();
  source.change([{ ...eth0, address: '10.1.1.5' }]);
  expect(changes).toBe(0);
  source.change([{ ...eth0, address: '10.1.1.6' }]);
  expect(changes).toBe(1);
  expect(addressesOf(source)).toEqual(['10.1.1.6']);
});

test.each([
  ['texts', ['10.1.1.4']],
  ['a network', [{ address: '10.1.1.4/24', interface: 'eth0', isDefaultRoute: true }]],
  ['no interface', [{ address: '10.1.1.4', isDefaultRoute: true }]],
  ['one address', { address: '10.1.1.4', interface: 'eth0', isDefaultRoute: true }],
])('%s instead of fixed addresses are refused, with an example', (_, wrong: unknown) => {
  const refusal = expect.objectContaining({ code: 'option-invalid', message: expect.stringContaining("'10.1.1.4'") });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as firmware in plain JavaScript would give it
  const given = wrong as never;
  expect(() => fixedAddresses(given)).toThrow(refusal);
  const source = fixedAddresses([]);
  expect(() => source.change(given)).toThrow(refusal);
  expect(source.current()).toEqual([]);
});

function ip(address: string, more: { readonly internal?: boolean } = {}): NetworkInterfaceInfo {
  const common = { address, netmask: '', mac: '', internal: false, cidr: null, ...more };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

function procFile(name: string, lines: readonly string[]): (path: string) => Promise<string> {
  return async (path) => (path === `/proc/net/${name}` ? `${lines.join('\n')}\n` : '');
}

function addressesOf(source: { current(): readonly { readonly address: string }[] }): readonly string[] {
  return source.current().map(({ address }) => address);
}

async function watch(first: Interfaces) {
  const clock = new VirtualClock();
  let interfaces = first;
  let isFailing = false;
  let count = 0;
  const source = lanAddresses({
    clock,
    readInterfaces: () => {
      if (isFailing) throw new Error('uv_interface_addresses returned Unknown system error 13');
      return interfaces;
    },
    readNetwork: async () => ROUTED,
  });
  source.onChange(() => (count += 1));
  await source.start();
  const set = (next: Interfaces): void => void (interfaces = next);
  const fail = (next: boolean): void => void (isFailing = next);
  return { source, clock, changes: () => count, set, fail };
}
