/** Our own DNS for a measurement: the zones and their thread, as the broker wires them. */
import { Worker } from 'node:worker_threads';
import { silentLogger, systemClock } from '@lanyard/sdk/kernel';
import { DNS_THREAD_LIMITS, DnsThread } from '../../broker/src/dns/dns-thread.ts';
import { OwnZones } from '../../broker/src/dns/own-zones.ts';
import type { OwnZonesOptions } from '../../broker/src/dns/own-zones.ts';
import { defaultSoa } from '../../broker/src/dns/zone-settings.ts';

export const ZONE = 'devices.lanyard.test';

export interface DnsBoard {
  readonly zones: OwnZones;
  readonly address: { readonly host: string; readonly port: number };
  stop(): Promise<void>;
}

export async function startDnsBoard(journal: OwnZonesOptions['journal']): Promise<DnsBoard> {
  const thread = new DnsThread({ worker: startThread('dns/thread'), clock: systemClock, log: silentLogger });
  const [address] = await thread.start([{ host: '127.0.0.1', port: 0 }]);
  if (address === undefined) throw new Error('the DNS thread listens nowhere');
  const nameServers = [{ name: `ns1.${ZONE}`, addresses: ['127.0.0.1'] }];
  const zone = { apex: ZONE, nameServers, soa: defaultSoa(`ns1.${ZONE}`, `hostmaster.${ZONE}`) };
  const zones = new OwnZones({ journal, thread, zones: [zone], clock: systemClock, log: silentLogger });
  await zones.start();
  const stop = async (): Promise<void> => {
    await zones.stop();
    await thread.stop();
  };
  return { zones, address, stop };
}

export function startThread(name: 'dns/thread' | 'store/thread'): Worker {
  const source = new URL(`../../broker/src/${name}.ts`, import.meta.url);
  const resourceLimits = name === 'dns/thread' ? DNS_THREAD_LIMITS : {};
  return new Worker(source, { execArgv: ['--conditions=lanyard-source'], resourceLimits });
}
