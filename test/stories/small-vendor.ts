/** A vendor for one story, all in this process: the model CA, a broker on loopback and a factory. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminClient, createBroker, parseConfig } from '@lanyard/broker';
import type { AdminClient, Broker, BrokerConfig, BrokerEndpoints } from '@lanyard/broker';
import { randomHex, silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { startModelAuthority } from '@lanyard/simulator';
import type { RunningModelAuthority } from '@lanyard/simulator';
import { onTestFinished } from 'vitest';
import { dataDirectory } from '../../broker/src/data-directory.ts';
import { createPrivateCa } from '../../broker/src/pki/private-ca.ts';
import { manufacture } from '../../simulator/src/fleet/factory.ts';
import { DnsResolver } from '../../simulator/src/world/authority/dns-resolver.ts';
import type { Resolver } from '../../simulator/src/world/authority/resolver.ts';
import { askForAddresses } from '../../simulator/src/world/stub-resolver.ts';
import { Box } from './box.ts';

const ZONE = 'devices.lanyard.test';
const LOOPBACK = '127.0.0.1';
const world = { clock: systemClock, random: systemRandom, log: silentLogger };

/** Looks things up at a name server that is not known yet when the CA starts, and only while it may. */
class LateResolver implements Resolver {
  #resolver: Resolver | undefined;
  #gate: Promise<void> = Promise.resolve();
  #open = noted;
  #ask = noted;
  isAsked: Promise<void> = Promise.resolve();

  lookAt(server: { readonly host: string; readonly port: number }): void {
    this.#resolver = new DnsResolver({ clock: systemClock, random: systemRandom, server, zones: [ZONE] });
  }

  hold(): void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
    this.isAsked = new Promise((resolve) => (this.#ask = resolve));
  }

  release(): void {
    this.#open();
  }

  async txt(...asked: Parameters<Resolver['txt']>): Promise<readonly string[]> {
    this.#ask();
    await this.#gate;
    return (await this.#resolver?.txt(...asked)) ?? [];
  }

  async caa(...asked: Parameters<Resolver['caa']>): ReturnType<Resolver['caa']> {
    this.#ask();
    await this.#gate;
    return (await this.#resolver?.caa(...asked)) ?? [];
  }
}

function noted(): void {}

interface Parts {
  readonly directory: string;
  readonly resolver: LateResolver;
  readonly authority: RunningModelAuthority;
  readonly config: BrokerConfig;
  readonly token: string;
}

export class SmallVendor {
  readonly #parts: Parts;
  #broker: Broker | undefined;
  #endpoints: BrokerEndpoints | undefined;
  #made = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Everything ends with the test. */
  static async open(): Promise<SmallVendor> {
    const directory = await mkdtemp(join(tmpdir(), 'lanyard-story-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const resolver = new LateResolver();
    const policy = { validationDelayMs: 0, asyncFinalizeMs: 50 };
    const authority = await startModelAuthority({ ...world, resolver, policy });
    onTestFinished(() => authority.stop());
    const token = randomHex(systemRandom, 32);
    const config = await initialise(directory, authority, token);
    const vendor = new SmallVendor({ directory, resolver, authority, config, token });
    await vendor.brokerComesBack();
    onTestFinished(() => vendor.brokerGoesAway());
    return vendor;
  }

  get authority(): RunningModelAuthority {
    return this.#parts.authority;
  }

  get admin(): AdminClient {
    return adminClient(`http://${LOOPBACK}:${this.#endpoints?.adminPort}`, this.#parts.token);
  }

  /** A new appliance, not switched on yet. */
  async makeAppliance(clock?: Clock): Promise<Box> {
    const deviceId = `story-${String(++this.#made).padStart(4, '0')}`;
    const flash = join(this.#parts.directory, deviceId);
    const name = await manufacture(this.admin, deviceId, flash);
    const broker = `mqtts://${LOOPBACK}:${this.#endpoints?.mqttPort}`;
    const rootPem = this.authority.rootPem;
    const box = new Box({ deviceId, name, flash, broker, rootPem, ...(clock && { clock }) });
    onTestFinished(() => box.powerOff());
    return box;
  }

  /** What a laptop in the LAN gets for a name. */
  addressesOf(name: string): Promise<readonly string[]> {
    const [server] = this.#endpoints?.dns ?? [];
    if (server === undefined) throw new Error('there is no name server');
    return askForAddresses(server, name, systemClock);
  }

  async brokerGoesAway(): Promise<void> {
    await this.#broker?.stop();
    this.#broker = undefined;
  }

  /** On the ports that it had before. */
  async brokerComesBack(): Promise<void> {
    const config = withPorts(this.#parts.config, this.#endpoints);
    this.#broker = await createBroker({ config, log: silentLogger, onFailure });
    await this.#broker.start();
    this.#endpoints = this.#broker.endpoints();
    const [nameServer] = this.#endpoints.dns;
    if (nameServer) this.#parts.resolver.lookAt(nameServer);
  }

  /** From now on the CA does not come to a conclusion. */
  caHesitates(): void {
    this.#parts.resolver.hold();
  }

  /** Resolves when the CA stands before a decision that it does not make: the appliance's request is at the CA. */
  caIsAsked(): Promise<void> {
    return this.#parts.resolver.isAsked;
  }

  caDecides(): void {
    this.#parts.resolver.release();
  }
}

function onFailure(error: Error): never {
  throw error;
}

async function initialise(directory: string, authority: RunningModelAuthority, token: string): Promise<BrokerConfig> {
  const data = join(directory, 'data');
  const roots = join(directory, 'ca-roots.pem');
  await writeFile(roots, authority.tlsRootPem);
  await mkdir(data, { mode: 0o700 });
  const files = dataDirectory(data);
  const privateCa = createPrivateCa('A story’s private CA', world);
  await writeFile(files.privateCaKey, privateCa.keyPem, { mode: 0o600 });
  await writeFile(files.privateCaCertificate, privateCa.certificatePem);
  await writeFile(files.adminToken, token, { mode: 0o600 });
  return parseConfig({
    data,
    zone: { apex: ZONE, nameServers: [{ name: `ns1.${ZONE}`, addresses: [LOOPBACK] }] },
    mqtt: { host: LOOPBACK, port: 0, names: [LOOPBACK] },
    dns: { listen: [{ host: LOOPBACK, port: 0 }] },
    acme: { directory: authority.directoryUrl, roots, caaIdentity: 'model.lanyard.test' },
    admin: { port: 0 },
    appliances: { reconnectSpreadSeconds: 0 },
  });
}

function withPorts(config: BrokerConfig, endpoints: BrokerEndpoints | undefined): BrokerConfig {
  if (endpoints === undefined) return config;
  const { mqttPort, adminPort, dns } = endpoints;
  const listen = dns.map(({ host, port }) => ({ host, port }));
  return {
    ...config,
    mqtt: { ...config.mqtt, port: mqttPort },
    admin: { ...config.admin, port: adminPort },
    dns: { ...config.dns, listen },
  };
}
