/** One of the CA's vantage points in a simulation: real DNS packets to the broker's name server, on virtual time. */
import type { VirtualBroker } from '@lanyard/broker/virtual';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { DnsExchange } from '../../world/authority/dns-exchange.ts';
import { DnsResolver } from '../../world/authority/dns-resolver.ts';
import type { Resolver } from '../../world/authority/resolver.ts';

export interface PacketResolverParts {
  readonly clock: Clock;
  readonly random: Random;
  /** What is delegated to the name server. */
  readonly zone: string;
  /** Undefined while its process is down, and nobody answers. */
  readonly nameServer: () => Pick<VirtualBroker, 'answer'> | undefined;
}

/** There and back again: data centres on other continents and on the same one. */
const ROUND_TRIP_MS = { least: 5, spread: 145 };

/** Asks with mixed case, reads answers as Unbound does, and waits in vain for those that do not come. */
export function packetResolver({ clock, random, zone, nameServer }: PacketResolverParts): Resolver {
  const ask = (query: Uint8Array, signal: AbortSignal): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        timer.cancel();
        reject(signal.reason instanceof Error ? signal.reason : new Error('the question was abandoned'));
      };
      const timer = clock.setTimer(ROUND_TRIP_MS.least + random.uniform() * ROUND_TRIP_MS.spread, () => {
        const answer = nameServer()?.answer(Buffer.from(query));
        if (answer === undefined) return;
        signal.removeEventListener('abort', onAbort);
        resolve(answer);
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  // The name server's answers to one appliance's names fit into a datagram, whichever way they take.
  const server: DnsExchange = { byUdp: (query, _isAnswer, signal) => ask(query, signal), byTcp: ask };
  return new DnsResolver({ clock, random, server, zones: [zone] });
}
