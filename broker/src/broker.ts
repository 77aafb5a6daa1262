/** The wiring: the only file that knows every folder. */
import { Worker, type ResourceLimits } from 'node:worker_threads';
import { LanyardError, describeError, inOrder, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable, Timer } from '@lanyard/sdk/kernel';
import { acmeDnsGuests, acmeDnsParts } from './acme-dns-parts.ts';
import type { HealthFinding } from './admin/admin-api.ts';
import { AdminServer } from './admin/admin-server.ts';
import { configuredCas } from './authorities.ts';
import type { ConfiguredCa, ConfiguredCas } from './authorities.ts';
import { CaaPin } from './caa-pin.ts';
import { ChallengeBoards } from './certificates/challenge-boards.ts';
import { ForeignWatch } from './certificates/foreign/foreign-watch.ts';
import { KeyRefusal } from './certificates/key-refusal.ts';
import type { Issuer, Issuers } from './certificates/issuers.ts';
import type { BrokerConfig } from './config.ts';
import type { Conversation } from './conversation.ts';
import { createCore } from './core.ts';
import { dataDirectory, readSecret, readText } from './data-directory.ts';
import { readCookieSecrets } from './dns-cookie-secrets.ts';
import { datagrams } from './dns/datagram.ts';
import type { DefenceSettings } from './dns/defence.ts';
import { DNS_THREAD_LIMITS, DnsThread } from './dns/dns-thread.ts';
import { OwnZones } from './dns/own-zones.ts';
import type { ZoneServing } from './dns/own-zones.ts';
import { Secondaries } from './dns/secondaries.ts';
import type { ListenAddress } from './dns/server.ts';
import { defaultSoa } from './dns/zone-settings.ts';
import { HttpChallengeServer } from './http-challenges/http-challenge-server.ts';
import { EmbeddedBroker } from './mqtt/embedded-broker.ts';
import type { ServerCredentials } from './mqtt/handshake.ts';
import { readIssuedChain } from './pki/issued-chain.ts';
import { readObservedCertificate } from './pki/observed-certificate.ts';
import { PrivateCa } from './pki/private-ca.ts';
import { readSigningRequest } from './pki/signing-request.ts';
import { BrokerRegistry } from './registry.ts';
import { SqliteStore } from './store/sqlite-store.ts';
import { readTsigKeys, secondariesOf, transferPolicy } from './tsig-keys.ts';
import type { TsigKey } from './tsig/tsig-key.ts';
import { ZoneProbe } from './zone-probe.ts';

export interface BrokerOptions {
  readonly config: BrokerConfig;
  readonly log: Logger;
  /** Called when a part died that the broker cannot go on without: end the process and start it anew. */
  readonly onFailure: (error: LanyardError) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface Broker extends Runnable {
  /** Where it listens; only after `start`. */
  endpoints(): BrokerEndpoints;
}

export interface BrokerEndpoints {
  readonly mqttPort: number;
  readonly dns: readonly ListenAddress[];
  /** Absent: no CA is asked for http-01. */
  readonly httpPort?: number;
  /** Absent: the acme-dns API is not served. */
  readonly acmeDnsPort?: number;
  readonly adminPort: number;
}

/** Long before its end and often enough that a forgotten process never shows an expired one. */
const SERVER_CERTIFICATE_MS = 30 * 86_400_000;

/**
 * A broker that does nothing until `start`.
 * @throws LanyardError `config-unreadable` | `config-invalid` when keys or roots cannot be used.
 */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { config, log, onFailure, clock = systemClock, random = systemRandom } = options;
  const world = { clock, random, log };
  const { privateCa, adminToken } = await readSecrets(config, world);
  const path = dataDirectory(config.data).database;
  const store = new SqliteStore({ startThread: startStore, path, clock, log, onFailure });
  const tsigKeys = await readTsigKeys(config);
  const dns = dnsParts(config, tsigKeys, store, world, onFailure);
  const cas = await configuredCas(config, world);
  const caa = caaPin(config, dns.zones, cas, log);
  const http = httpChallenges(config, cas, log);

  const { fleet, desk, issuance, issuers, renewals, standIns, replacement, reminders, conversation } = createCore({
    authorities: cas.ranked,
    ...(cas.rehearsal && { rehearsal: cas.rehearsal }),
    board: new ChallengeBoards({ txt: dns.zones, ...(http && { http }) }),
    addressBoard: dns.zones,
    store: store.orders,
    appliances: store.appliances,
    publicSuffixes: config.acme.publicSuffixes,
    readChain: readIssuedChain,
    readRequest: readSigningRequest,
    send: (deviceId, message) => mqtt.send(deviceId, message),
    onIssued: () => void caa.start(),
    ...world,
    settings: { ...config, zone: config.zone.apex },
  });

  const mqtt = await mqttServer(config, privateCa, conversation, world);
  const keyRefusal = new KeyRefusal({ store: store.refusedKeys, clock, log });
  const registry = new BrokerRegistry({
    fleet,
    desk,
    standIns,
    replacement,
    keyRefusal,
    identities: privateCa,
    isConnected: (deviceId) => mqtt.isConnected(deviceId),
    prompt: (deviceId) => conversation.prompt(deviceId),
    promptAll: (withinMs) => conversation.promptAll(withinMs),
  });
  const foreign = foreignWatch(config, store, world);
  const health = (): readonly HealthFinding[] => [...healthOf(mqtt, cas, issuers), foreignHealth(foreign)];
  const probe = new ZoneProbe({ apex: config.zone.apex, zones: dns.zones, ...world });
  const acmeDns = await acmeDnsParts(config, { store: store.acmeDns, board: dns.zones, adminToken, ...world });
  const admin = new AdminServer({
    registry,
    foreign,
    refusedKeys: keyRefusal,
    probe,
    ...(acmeDns && { acmeDns: acmeDns.accounts }),
    health,
    token: adminToken,
    log,
    ...config.admin,
  });
  const certificateRounds = serverCertificateRounds(config, privateCa, mqtt, world);
  // Each needs those before it; stopping goes the other way. DNS answers before anything else and longest.
  const before = [store, dns.thread, dns.zones, dns.secondaries, ...(http ? [http] : []), ...all(cas), caa];
  const after = [foreign, probe, ...(acmeDns ? [acmeDns.accounts, acmeDns.server] : []), admin];
  return {
    ...inOrder([...before, issuance, ...renewals, standIns, reminders, mqtt, certificateRounds, ...after]),
    endpoints: () => ({
      mqttPort: mqtt.address()?.port ?? 0,
      dns: dns.addresses(),
      ...(http && { httpPort: http.port }),
      ...(acmeDns && { acmeDnsPort: acmeDns.server.port }),
      adminPort: admin.port,
    }),
  };
}

interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

async function readSecrets(config: BrokerConfig, world: World): Promise<{ privateCa: PrivateCa; adminToken: string }> {
  const files = dataDirectory(config.data);
  const certificatePem = await readText(files.privateCaCertificate);
  const keyPem = await readSecret(files.privateCaKey);
  const adminToken = (await readSecret(files.adminToken)).trim();
  return { privateCa: new PrivateCa({ certificatePem, keyPem }, world), adminToken };
}

interface DnsParts {
  readonly thread: Runnable;
  readonly zones: OwnZones;
  readonly secondaries: Runnable;
  readonly addresses: () => readonly ListenAddress[];
}

function dnsParts(
  config: BrokerConfig,
  keys: readonly TsigKey[],
  store: SqliteStore,
  world: World,
  onFailure: BrokerOptions['onFailure'],
): DnsParts {
  const { clock, log } = world;
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
  const secondaries = new Secondaries({ ...followers, ask: datagrams(clock), ...world });
  const zones = new OwnZones({
    journal: store.zones,
    thread: serving,
    zones: [{ apex, nameServers, soa }],
    guests: acmeDnsGuests(config),
    ...(config.dns.secondaries.length > 0 && { barrier: secondaries }),
    clock,
    log,
  });
  const start = async (): Promise<void> => {
    const defence = await dnsDefence(config, world.random);
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

function caaPin({ zone }: BrokerConfig, zones: OwnZones, cas: ConfiguredCas, log: Logger): CaaPin {
  const issuers = all(cas).map(({ caa }) => caa);
  const pin = new CaaPin({ apex: zone.apex, issuers, zones, log });
  for (const { authority } of all(cas)) authority.onAccount(() => void pin.start());
  return pin;
}

/** A port that nobody needs is not opened. */
function httpChallenges({ http }: BrokerConfig, cas: ConfiguredCas, log: Logger): HttpChallengeServer | undefined {
  const isAsked = all(cas).some(({ caa }) => caa.challenge === 'http-01');
  return isAsked ? new HttpChallengeServer({ ...http, log }) : undefined;
}

function all({ ranked, rehearsal }: ConfiguredCas): readonly ConfiguredCa[] {
  return [...ranked, ...(rehearsal ? [rehearsal] : [])];
}

async function mqttServer(
  { mqtt }: BrokerConfig,
  privateCa: PrivateCa,
  conversation: Conversation,
  world: World,
): Promise<EmbeddedBroker> {
  const credentials = await serverCredentials(mqtt.names, privateCa);
  return new EmbeddedBroker({ settings: mqtt, credentials, conversation, ...world });
}

async function serverCredentials(names: readonly string[], privateCa: PrivateCa): Promise<ServerCredentials> {
  return { ...(await privateCa.issueServer(names)), clientRootPem: privateCa.rootPem };
}

/** A new server certificate now and then, so that a broker that is never restarted does not show an expired one. */
function serverCertificateRounds(
  { mqtt: { names } }: BrokerConfig,
  privateCa: PrivateCa,
  mqtt: EmbeddedBroker,
  { clock, log }: World,
): Runnable {
  let timer: Timer | undefined;
  const replace = async (): Promise<void> => {
    try {
      mqtt.setCredentials(await serverCredentials(names, privateCa));
    } catch (error) {
      log.error({ err: describeError(error) }, 'the server certificate was not replaced; tried again next month');
    }
  };
  const arm = (): void => {
    timer = clock.setTimer(SERVER_CERTIFICATE_MS, () => {
      void replace();
      arm();
    });
  };
  return { start: async () => arm(), stop: async () => timer?.cancel() };
}

function healthOf(mqtt: EmbeddedBroker, cas: ConfiguredCas, issuers: Issuers): readonly HealthFinding[] {
  return [
    { part: 'mqtt', isHealthy: mqtt.address() !== undefined, detail: `${mqtt.connectedCount()} appliances connected` },
    ...all(cas).map((ca) => caHealth(ca, issuers.byId(ca.terms.id), ca === cas.ranked[0])),
  ];
}

/** That a CA is away is nothing that another broker would mend, nor a spare one that does not open its account. */
function caHealth({ terms, authority }: ConfiguredCa, issuer: Issuer | undefined, isFirst: boolean): HealthFinding {
  const { accountUrl } = authority;
  const awaySinceMs = issuer?.gate.awaySinceMs();
  const away = awaySinceMs === undefined ? '' : `; away since ${new Date(awaySinceMs).toISOString()}`;
  const detail = `${accountUrl ?? `no account at ${terms.id} yet`}${away}`;
  return { part: 'acme', isHealthy: accountUrl !== undefined || !isFirst, detail };
}

function foreignWatch({ zone }: BrokerConfig, { foreign }: SqliteStore, { clock, log }: World): ForeignWatch {
  const readCertificate = readObservedCertificate;
  return new ForeignWatch({ store: foreign, readCertificate, zones: [zone.apex], clock, log });
}

function foreignHealth({ unsettled }: ForeignWatch): HealthFinding {
  const detail = unsettled === 0 ? 'none is known' : `${unsettled} to be looked into: lanyard foreign list`;
  return { part: 'foreign-certificates', isHealthy: unsettled === 0, detail };
}

function startStore(): Worker {
  return startThread('store/thread');
}

/** The source is TypeScript that Node runs as it is; the build is JavaScript with the same layout. */
function startThread(name: string, resourceLimits: ResourceLimits = {}): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const execArgv = isSource ? ['--conditions=lanyard-source'] : [];
  return new Worker(new URL(`./${name}.${isSource ? 'ts' : 'js'}`, import.meta.url), { execArgv, resourceLimits });
}
