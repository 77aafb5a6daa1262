/** Addresses that something is allowed from. */
import { BlockList, isIP } from 'node:net';
import { LanyardError } from '@lanyard/sdk/kernel';

export class Networks {
  readonly #list = new BlockList();

  /** @throws LanyardError `config-invalid` for anything that is neither an address nor a CIDR block. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const network = parse(entry);
      if (network === undefined) {
        throw new LanyardError('config-invalid', { message: `"${entry}" is not an address or a CIDR block` });
      }
      this.#list.addSubnet(network.address, network.prefix, network.family);
    }
  }

  /** What is no address is in no network. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }
}

export function isNetwork(entry: string): boolean {
  return parse(entry) !== undefined;
}

interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parse(entry: string): Network | undefined {
  const [address = '', bits, ...rest] = entry.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || address.includes('%') || rest.length > 0 || !(prefix <= longest)) return undefined;
  return { address, prefix, family: family === 4 ? 'ipv4' : 'ipv6' };
}

/** Sockets that take both families show IPv4 as `::ffff:a.b.c.d`, and link-local addresses with their interface. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
