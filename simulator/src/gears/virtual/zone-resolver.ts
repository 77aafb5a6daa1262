/** How the model CA looks up DNS in a simulation: straight in the zones that the broker's DNS thread would answer from. */
import type { VirtualBroker } from '@lanyard/broker/virtual';
import { LookupFailure } from '../../world/authority/resolver.ts';
import type { CaaRecord, Resolver } from '../../world/authority/resolver.ts';

/** RFC 1035 §3.2.2. */
const TXT = 16;

export class ZoneResolver implements Resolver {
  readonly #broker: () => VirtualBroker | undefined;

  /** @param broker undefined while its process is down, and nobody answers. */
  constructor(broker: () => VirtualBroker | undefined) {
    this.#broker = broker;
  }

  async txt(name: string): Promise<readonly string[]> {
    const broker = this.#broker();
    if (broker === undefined) throw new LookupFailure({ type: 'TXT', name, outcome: 'query timed out' });
    const records = broker.records(name, TXT);
    if (records.length === 0) throw new LookupFailure({ type: 'TXT', name, outcome: 'NXDOMAIN' });
    return records.map(joined);
  }

  /** The zone of a simulation has none. */
  async caa(): Promise<readonly CaaRecord[]> {
    return [];
  }
}

/** Strings of a TXT record, each after its length (RFC 1035 §3.3.14). */
function joined(data: Uint8Array): string {
  const strings: string[] = [];
  for (let at = 0; at < data.length;) {
    const length = data[at] ?? 0;
    strings.push(Buffer.from(data.subarray(at + 1, at + 1 + length)).toString('latin1'));
    at += 1 + length;
  }
  return strings.join('');
}
