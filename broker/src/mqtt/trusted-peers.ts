/** Which load balancers may say where a connection really comes from. */
import { BlockList, isIP } from 'node:net';
import { LanyardError } from '@lanyard/sdk/kernel';
import { plainAddress } from './source-address.ts';

export class TrustedPeers {
  readonly #list = new BlockList();

  /** @throws LanyardError `config-invalid` for anything that is neither an address nor a CIDR block. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  #add(entry: string): void {
    const [address = '', bits, ...rest] = entry.split('/');
    const family = isIP(address);
    const longest = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    // A prefix of 0 would trust everyone to say who they are.
    if (family === 0 || rest.length > 0 || !(prefix >= 1 && prefix <= longest)) {
      const message = `"${entry}" is not an address or a CIDR block of load balancers`;
      throw new LanyardError('config-invalid', { message });
    }
    this.#list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
}
