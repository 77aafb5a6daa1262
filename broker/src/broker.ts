/** The wiring: the only file that knows every folder. */
import { Worker } from 'node:worker_threads';
import { LanyardError, describeError, inOrder, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable, Timer } from '@lanyard/sdk/kernel';
import { AcmeAuthority } from './acme/acme-authority.ts';
import { readExternalAccount } from './acme/external-account.ts';
import type { ExternalAccount } from './acme/external-account.ts';
import { FileAccountStore } from './acme/file-account-store.ts';
import { AcmeTransport } from './acme/transport.ts';
import type { HealthFinding } from './admin/admin-api.ts';
import { AdminServer } from './admin/admin-server.ts';
import { authorityTerms } from './authority-terms.ts';
import { CaaPin } from './caa-pin.ts';
import type { BrokerConfig } from './config.ts';
import type { Conversation } from './conversation.ts';
import { createCore } from './core.ts';
import { dataDirectory, readSecret, readText } from './data-directory.ts';
import { DnsThread } from './dns/dns-thread.ts';
import { OwnZones } from './dns/own-zones.ts';
import type { ZoneServing } from './dns/own-zones.ts';
import type { ListenAddress } from './dns/server.ts';
import { defaultSoa } from './dns/zone-settings.ts';
import { EmbeddedBroker } from './mqtt/embedded-broker.ts';
import type { ServerCredentials } from './mqtt/handshake.ts';
import { readIssuedChain } from './pki/issued-chain.ts';
import { PrivateCa } from './pki/private-ca.ts';
import { readSigningRequest } from './pki/signing-request.ts';
import { BrokerRegistry } from './registry.ts';
import { SqliteStore } from './store/sqlite-store.ts';

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
  const dns = dnsParts(config, store, world, onFailure);
  const { transport, authority } = await acmeParts(config, world);
  const caa = caaPin(config, dns.zones, authority, log);
  authority.onAccount(() => void caa.start());

  const { fleet, desk, issuance, renewals, replacement, reminders, conversation } = createCore({
    authority,
    board: dns.zones,
    store: store.orders,
    appliances: store.appliances,
    terms: authorityTerms(config.acme),
    publicSuffixes: config.acme.publicSuffixes,
    readChain: readIssuedChain,
    readRequest: readSigningRequest,
    send: (deviceId, message) => mqtt.send(deviceId, message),
    onIssued: () => void caa.start(),
    ...world,
    settings: { ...config, zone: config.zone.apex },
  });

  const mqtt = await mqttServer(config, privateCa, conversation, world);
  const registry = new BrokerRegistry({
    fleet,
    desk,
    replacement,
    identities: privateCa,
    isConnected: (deviceId) => mqtt.isConnected(deviceId),
    prompt: (deviceId) => conversation.prompt(deviceId),
    promptAll: (withinMs) => conversation.promptAll(withinMs),
  });
  const health = (): readonly HealthFinding[] => healthOf(mqtt, authority);
  const admin = new AdminServer({ registry, health, token: adminToken, log, ...config.admin });
  const certificateRounds = serverCertificateRounds(config, privateCa, mqtt, world);
  // Each needs those before it; stopping goes the other way. DNS answers before anything else and longest.
  const before = [store, dns.thread, dns.zones, transport, authority, caa];
  return {
    ...inOrder([...before, issuance, renewals, reminders, mqtt, certificateRounds, admin]),
    endpoints: () => ({ mqttPort: mqtt.address()?.port ?? 0, dns: dns.addresses(), adminPort: admin.port }),
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
  readonly addresses: () => readonly ListenAddress[];
}

function dnsParts(
  config: BrokerConfig,
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
  const zones = new OwnZones({
    journal: store.zones,
    thread: serving,
    zones: [{ apex, nameServers, soa }],
    clock,
    log,
  });
  const start = async (): Promise<void> => {
    // Only now: a thread that nobody stops, because something else kept the broker from starting, keeps the process alive.
    running = new DnsThread({ worker: startThread('dns/thread'), clock, log, onFailure });
    addresses = await running.start(config.dns.listen);
  };
  return { thread: { start, stop: async () => await running?.stop() }, zones, addresses: () => addresses };
}

async function acmeParts(
  config: BrokerConfig,
  { clock, log }: World,
): Promise<{ transport: AcmeTransport; authority: AcmeAuthority }> {
  const { directory: directoryUrl, contact, profile, roots } = config.acme;
  const transport = new AcmeTransport({ clock, ...(roots !== undefined && { extraRootsPem: await readText(roots) }) });
  const account = new FileAccountStore({ path: dataDirectory(config.data).acmeAccount(directoryUrl) });
  const externalAccount = await externalAccountOf(config);
  const wishes = { contact, ...(profile !== undefined && { profile }), ...(externalAccount && { externalAccount }) };
  return { transport, authority: new AcmeAuthority({ directoryUrl, account, transport, clock, log, ...wishes }) };
}

async function externalAccountOf({ acme }: BrokerConfig): Promise<ExternalAccount | undefined> {
  if (acme.externalAccount === undefined) return undefined;
  const { kid, hmacKeyFile } = acme.externalAccount;
  return readExternalAccount(kid, await readSecret(hmacKeyFile), hmacKeyFile);
}

function caaPin({ zone, acme }: BrokerConfig, zones: OwnZones, authority: AcmeAuthority, log: Logger): CaaPin {
  const { caaIdentity } = acme;
  return new CaaPin({ apex: zone.apex, caaIdentity, accountUrl: () => authority.accountUrl, zones, log });
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

function healthOf(mqtt: EmbeddedBroker, { accountUrl }: AcmeAuthority): readonly HealthFinding[] {
  return [
    { part: 'mqtt', isHealthy: mqtt.address() !== undefined, detail: `${mqtt.connectedCount()} appliances connected` },
    { part: 'acme', isHealthy: accountUrl !== undefined, detail: accountUrl ?? 'no account at the CA yet' },
  ];
}

function startStore(): Worker {
  return startThread('store/thread');
}

/** The source is TypeScript that Node runs as it is; the build is JavaScript with the same layout. */
function startThread(name: string): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const execArgv = isSource ? ['--conditions=lanyard-source'] : [];
  return new Worker(new URL(`./${name}.${isSource ? 'ts' : 'js'}`, import.meta.url), { execArgv });
}
