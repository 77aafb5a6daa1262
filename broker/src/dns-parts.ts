/** The name server as the settings want it: zones, the thread that answers, and the secondaries that follow. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable } from '@lanyard/sdk/kernel';
import { acmeDnsGuests } from './acme-dns-parts.ts';
import type { BrokerConfig } from './config.ts';
import { readCookieSecrets } from './dns-cookie-secrets.ts';
import { datagrams } from './dns/datagram.ts';
import type { DefenceSettings } from './dns/defence.ts';
import { DNS_THREAD_LIMITS, DnsThread } from './dns/dns-thread.ts';
import { OwnZones } from './dns/own-zones.ts';
import type { ZoneServing } from './dns/own-zones.ts';
import { Secondaries } from './dns/secondaries.ts';
import type { ListenAddress } from './dns/server.ts';
import type { ZoneJournal } from './dns/zone-journal.ts';
import { defaultSoa } from './dns/zone-settings.ts';
import { startThread } from './threads.ts';
import { readTsigKeys, secondariesOf, transferPolicy } from './tsig-keys.ts';

export interface DnsNeeds {
  readonly journal: ZoneJournal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Called when the thread died: the broker cannot go on without it. */
  readonly onFailure: (error: LanyardError) => void;
}

export interface DnsParts {
  readonly thread: Runnable;
  readonly zones: OwnZones;
  readonly secondaries: Runnable;
  readonly addresses: () => readonly ListenAddress[];
}

/** @throws LanyardError `config-unreadable` | `config-invalid` when keys cannot be used. */
export async function dnsParts(config: BrokerConfig, needs: DnsNeeds): Promise<DnsParts> {
  const { journal, clock, random, log, onFailure } = needs;
  const keys = await readTsigKeys(config);
  const { apex, nameServers, hostmaster = `hostmaster.${apex}` } = config.zone;
  const soa = defaultSoa(nameServers[0]?.name ?? apex, hostmaster);
  let running: DnsThread | undefined;
  let addresses: readonly ListenAddress[] = [];
  const started = (): DnsThread => {
    if (running === undefined) throw new LanyardError('stopped', { message: 'the DNS thread was not started' });
    return running;
  };
  const serving: ZoneServing = {
    serve: async (snapshots) => await started().serve(snapshots),
    apply: async (change) => await started().apply(change),
  };
  const followers = { secondaries: secondariesOf(config, keys), apexes: [apex] };
  const secondaries = new Secondaries({ ...followers, ask: datagrams(clock), clock, random, log });
  const zones = new OwnZones({
    journal,
    thread: serving,
    zones: [{ apex, nameServers, soa }],
    guests: acmeDnsGuests(config),
    ...(config.dns.secondaries.length > 0 && { barrier: secondaries }),
    clock,
    log,
  });
  const start = async (): Promise<void> => {
    const defence = await dnsDefence(config, random);
    // Only now: a thread that nobody stops, because something else kept the broker from starting, keeps the process alive.
    running = new DnsThread({ worker: startThread('dns/thread', DNS_THREAD_LIMITS), clock, log, onFailure });
    addresses = await running.start(config.dns.listen, transferPolicy(config, keys), defence);
  };
  const thread = { start, stop: async () => await running?.stop() };
  return { thread, zones, secondaries, addresses: () => addresses };
}

async function dnsDefence(config: BrokerConfig, random: Random): Promise<DefenceSettings> {
  const cookieSecrets = await readCookieSecrets(config, random);
  return { rateLimit: config.dns.rateLimit, seed: Buffer.from(random.bytes(4)).readUInt32BE(), cookieSecrets };
}
