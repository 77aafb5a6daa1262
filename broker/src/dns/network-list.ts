/** Addresses and CIDR blocks, compared with the sender that was read last: without garbage, as it is done for every query. */
import { isIP } from 'node:net';
import { LanyardError } from '@lanyard/sdk/kernel';
import { SOURCE, readSource } from './source-address.ts';

interface Network {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

export class NetworkList {
  readonly #networks: readonly Network[];

  /** @throws LanyardError `config-invalid` for anything that is neither an address nor a CIDR block. */
  constructor(entries: readonly string[]) {
    this.#networks = entries.map(parseNetwork);
  }

  /** Whether `SOURCE` with its first `sourceBytes` bytes is in one of them. */
  hasSource(sourceBytes: number): boolean {
    for (const network of this.#networks) {
      if (network.bytes.length === sourceBytes && isSourceIn(network)) return true;
    }
    return false;
  }
}

function isSourceIn({ bytes, prefixBits }: Network): boolean {
  const whole = prefixBits >> 3;
  for (let index = 0; index < whole; index++) if (bytes[index] !== SOURCE[index]) return false;
  const difference = (bytes[whole] ?? 0) ^ (SOURCE[whole] ?? 0);
  return difference >> (8 - (prefixBits & 7)) === 0;
}

function parseNetwork(entry: string): Network {
  const [address = '', bits, ...rest] = entry.split('/');
  const sourceBytes = isIP(address) === 0 ? 0 : readSource(address);
  const longest = sourceBytes * 8;
  const prefixBits = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (sourceBytes === 0 || rest.length > 0 || !(prefixBits <= longest)) {
    throw new LanyardError('config-invalid', { message: `"${entry}" is not an address or a CIDR block` });
  }
  return { bytes: SOURCE.slice(0, sourceBytes), prefixBits };
}
