/** The wiring: the only file that knows every folder. */
import { inOrder, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock, LanyardError, Logger, Random, Runnable } from '@lanyard/sdk/kernel';
import { acmeDnsParts } from './acme-dns-parts.ts';
import type { HealthFinding } from './admin/admin-api.ts';
import { AdminServer } from './admin/admin-server.ts';
import { allCas, configuredCas } from './authorities.ts';
import type { ConfiguredCas } from './authorities.ts';
import { CaaPin } from './caa-pin.ts';
import { ChallengeBoards } from './certificates/challenge-boards.ts';
import { ForeignWatch } from './certificates/foreign/foreign-watch.ts';
import { KeyRefusal } from './certificates/key-refusal.ts';
import type { BrokerConfig } from './config.ts';
import type { Conversation } from './conversation.ts';
import { createCore } from './core.ts';
import { dataDirectory, readSecret, readText } from './data-directory.ts';
import { dnsParts } from './dns-parts.ts';
import type { OwnZones } from './dns/own-zones.ts';
import type { ListenAddress } from './dns/server.ts';
import { healthOf } from './health.ts';
import { HttpChallengeServer } from './http-challenges/http-challenge-server.ts';
import { EmbeddedBroker } from './mqtt/embedded-broker.ts';
import { readIssuedChain } from './pki/issued-chain.ts';
import { readObservedCertificate } from './pki/observed-certificate.ts';
import { PrivateCa } from './pki/private-ca.ts';
import { readSigningRequest } from './pki/signing-request.ts';
import { BrokerRegistry } from './registry.ts';
import { serverCertificateRounds, serverCredentials } from './server-certificate.ts';
import { SqliteStore } from './store/sqlite-store.ts';
import { startThread } from './threads.ts';
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

/**
 * A broker that does nothing until `start`.
 * @throws LanyardError `config-unreadable` | `config-invalid` when keys or roots cannot be used.
 */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { config, log, onFailure, clock = systemClock, random = systemRandom } = options;
  const world = { clock, random, log };
  const { privateCa, adminToken } = await readSecrets(config, world);
  const path = dataDirectory(config.data).database;
  const store = new SqliteStore({ startThread: () => startThread('store/thread'), path, clock, log, onFailure });
  const dns = await dnsParts(config, { journal: store.zones, onFailure, ...world });
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
  const health = (): readonly HealthFinding[] => healthOf({ mqtt, cas, issuers, foreign });
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
  const before = [store, dns.thread, dns.zones, dns.secondaries, ...(http ? [http] : []), ...allCas(cas), caa];
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

function caaPin({ zone }: BrokerConfig, zones: OwnZones, cas: ConfiguredCas, log: Logger): CaaPin {
  const issuers = allCas(cas).map(({ caa }) => caa);
  const pin = new CaaPin({ apex: zone.apex, issuers, zones, log });
  for (const { authority } of allCas(cas)) authority.onAccount(() => void pin.start());
  return pin;
}

/** A port that nobody needs is not opened. */
function httpChallenges({ http }: BrokerConfig, cas: ConfiguredCas, log: Logger): HttpChallengeServer | undefined {
  const isAsked = allCas(cas).some(({ caa }) => caa.challenge === 'http-01');
  return isAsked ? new HttpChallengeServer({ ...http, log }) : undefined;
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

function foreignWatch({ zone }: BrokerConfig, { foreign }: SqliteStore, { clock, log }: World): ForeignWatch {
  const readCertificate = readObservedCertificate;
  return new ForeignWatch({ store: foreign, readCertificate, zones: [zone.apex], clock, log });
}
