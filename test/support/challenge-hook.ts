/** Lets other ACME clients put their challenges into our own DNS: a hook script, and behind it a zone that it changes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { silentLogger, systemClock } from '@lanyard/sdk/kernel';
import { DnsThread } from '../../broker/src/dns/dns-thread.ts';
import { MemoryZoneJournal } from '../../broker/src/dns/memory-zone-journal.ts';
import { OwnZones } from '../../broker/src/dns/own-zones.ts';
import { defaultSoa } from '../../broker/src/dns/zone-settings.ts';
import type { Endpoint } from '../../simulator/src/world/lan.ts';
import { peer } from './peers.ts';
import { serveRecordChanges } from './record-changes.ts';

export interface ChallengeHook {
  readonly nameServer: Endpoint;
  /** Called as `script put|clear NAME VALUE`. */
  readonly script: string;
  /** Every challenge record that is in the zone now. */
  left(): Promise<readonly string[]>;
  /** Every record that ever was. */
  readonly seen: ReadonlySet<string>;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const THREAD = new URL('../../broker/src/dns/thread.ts', import.meta.url);

/** @param directory where the script may lie. */
export async function startChallengeHook(apex: string, directory: string): Promise<ChallengeHook> {
  const served = await serveZone(apex);
  const { zones, address } = served;
  const changes = await serveRecordChanges(zones);
  const script = join(directory, 'challenge-hook');
  const target = `"${changes.url}/$1"`;
  const ask = `${peer('curl')} -sS --fail-with-body --noproxy '*' -G`;
  await writeFile(script, `#!/bin/sh\n${ask} --data-urlencode "name=$2" --data-urlencode "value=$3" ${target}\n`, {
    mode: 0o700,
  });
  return {
    nameServer: address,
    script,
    left: async () => (await zones.list()).map(({ name, value }) => `${name} ${value}`),
    seen: changes.seen,
    stop: async () => {
      changes.stop();
      await served.stop();
    },
  };
}

export interface ServedZones {
  readonly zones: OwnZones;
  readonly address: Endpoint;
  stop(): Promise<void>;
}

/** One zone on a DNS thread of its own, on a free port. */
export async function serveZone(apex: string): Promise<ServedZones> {
  const world = { clock: systemClock, log: silentLogger };
  const worker = new Worker(THREAD, { execArgv: ['--conditions=lanyard-source'] });
  const thread = new DnsThread({ worker, ...world });
  const [address] = await thread.start([{ host: LOOPBACK, port: 0 }]);
  if (address === undefined) throw new Error('the DNS thread listens nowhere');
  const nameServers = [{ name: `ns1.${apex}`, addresses: [LOOPBACK] }];
  const soa = defaultSoa(`ns1.${apex}`, `hostmaster.${apex}`);
  const zones = new OwnZones({
    journal: new MemoryZoneJournal(),
    thread,
    zones: [{ apex, nameServers, soa }],
    ...world,
  });
  await zones.start();
  const stop = async (): Promise<void> => {
    await zones.stop();
    await thread.stop();
  };
  return { zones, address, stop };
}
