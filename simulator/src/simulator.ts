/** The wiring of the pretend world: the only file that constructs parts of every folder. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminClient } from '@lanyard/broker';
import { randomHex, silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Logger } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import { manufacture } from './fleet/factory.ts';
import { VirtualAppliance } from './fleet/virtual-appliance.ts';
import type { Town, TownAuthority, Vendor } from './scenarios/town.ts';
import { startModelAuthority } from './world/authority/start-model-authority.ts';
import { BrokerProcess } from './world/broker-process.ts';
import { freePort } from './world/free-port.ts';
import { Lan } from './world/lan.ts';
import type { Endpoint } from './world/lan.ts';
import { NatGateway } from './world/nat-gateway.ts';
import type { Site } from './world/site.ts';
import { layOutTown } from './world/town.ts';
import { visit } from './world/visitor.ts';

export interface VendorPlan {
  /** Starts the CA that looks at the given name server; the model CA when left out. */
  readonly startAuthority?: (nameServer: Endpoint, zone: string) => Promise<TownAuthority>;
  /** Name servers of the zone, each as `name=address`; one when left out. */
  readonly nameServers?: readonly string[];
  /** Appliances come through pretend NATs, which speak the PROXY protocol. */
  readonly isBehindNats?: boolean;
  /** For the Node that runs the broker; none when left out. */
  readonly nodeOptions?: readonly string[];
  readonly logger?: Logger;
}

export interface TownPlan extends Pick<VendorPlan, 'startAuthority' | 'nodeOptions' | 'logger'> {
  readonly appliances: number;
  readonly sites: number;
  /** Lays out the same town again; keys, names and ports differ all the same. */
  readonly seed: number;
  /** Told of each appliance that leaves the factory. */
  readonly onManufactured?: (count: number) => void;
}

const LOOPBACK = '127.0.0.1';
/** Every gateway of the town dials from here. */
const LOOPBACK_NETWORK = '127.0.0.0/8';
const ZONE = 'devices.lanyard.test';
/** What the model CA calls itself in CAA records. */
const CAA_IDENTITY = 'model.lanyard.test';
/** Enrolments under way at once: the broker groups their commits. */
const FACTORY_HANDS = 16;

/** Builds a town and starts its CA and its broker; the appliances are made but not switched on. */
export async function openTown(plan: TownPlan): Promise<Town> {
  const vendor = await openVendor({ ...plan, isBehindNats: true });
  try {
    const sites = layOutTown(plan.sites, seededRandom(plan.seed));
    const appliances = await manufactureAll(plan, sites, vendor);
    const close = async (): Promise<void> => {
      await Promise.allSettled(appliances.map((appliance) => appliance.shutDown()));
      await vendor.close();
    };
    const { nameServer, authority } = vendor;
    const visitor = { nameServer, trustedRoots: [authority.rootPem], clock: systemClock };
    const visitOne: Town['visit'] = ({ lan, name }) => visit(visitor, lan, name);
    return { ...vendor, sites, appliances, visit: visitOne, close };
  } catch (error) {
    await vendor.close();
    throw error;
  }
}

/** Starts a CA and a broker of its own process, on free ports of this machine. */
export async function openVendor(plan: VendorPlan = {}): Promise<Vendor> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    const ports = { dns: await freePort(), mqtt: await freePort(), admin: await freePort() };
    const nameServer = { host: LOOPBACK, port: ports.dns };
    const { startAuthority = startModel(plan.logger ?? silentLogger), nodeOptions = [] } = plan;
    const authority = await startAuthority(nameServer, ZONE);
    closers.push(() => authority.stop());
    const broker = new BrokerProcess({ directory, clock: systemClock, nodeOptions });
    await initBroker(broker, directory, { ...plan, authority, ports });
    // Before the start: one that is not ready in time runs all the same.
    closers.push(() => broker.retire());
    await broker.start();
    const token = (await readFile(join(directory, 'data', 'admin.token'), 'utf8')).trim();
    const admin = adminClient(`http://${LOOPBACK}:${ports.admin}`, token);
    const door = { host: LOOPBACK, port: ports.mqtt };
    return { zone: ZONE, authority, broker, door, admin, nameServer, directory, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startModel(log: Logger): NonNullable<VendorPlan['startAuthority']> {
  return async (nameServer, zone) => {
    const world = { clock: systemClock, random: systemRandom, log };
    const authority = await startModelAuthority({ ...world, resolver: { ...nameServer, zones: [zone] } });
    return { ...authority, caaIdentity: CAA_IDENTITY };
  };
}

interface BrokerSettings extends VendorPlan {
  readonly authority: TownAuthority;
  readonly ports: { readonly dns: number; readonly mqtt: number; readonly admin: number };
}

async function initBroker(
  broker: BrokerProcess,
  directory: string,
  { authority, ports, nameServers = [`ns1.${ZONE}=${LOOPBACK}`], isBehindNats = false }: BrokerSettings,
): Promise<void> {
  const roots = join(directory, 'ca-roots.pem');
  await writeFile(roots, authority.tlsRootPem);
  const { dns, mqtt, admin } = ports;
  const options = {
    zone: [ZONE],
    'broker-name': [LOOPBACK],
    'name-server': nameServers,
    ca: [authority.directoryUrl],
    'ca-roots': [roots],
    'ca-identity': [authority.caaIdentity],
    'mqtt-host': [LOOPBACK],
    'mqtt-port': [mqtt],
    'admin-port': [admin],
    'dns-listen': [`${LOOPBACK}:${dns}`],
    ...(isBehindNats && { 'proxy-peer': [LOOPBACK_NETWORK] }),
    'reconnect-spread': [1],
  };
  await broker.init(Object.entries(options).flatMap(([name, values]) => [`--${name}`, ...values.map(String)]));
}

/** Appliances are dealt out to the sites in turn; sites behind one NAT share its gateway. */
async function manufactureAll(
  { appliances: count, onManufactured, logger }: TownPlan,
  sites: readonly Site[],
  { directory, admin, door, authority }: Vendor,
): Promise<readonly VirtualAppliance[]> {
  const places = sites.map((site) => ({ lan: new Lan(site), gateway: new NatGateway(site) }));
  const made: VirtualAppliance[] = [];
  let finished = 0;
  const orders = Array.from({ length: count }, (_, index) => index).values();
  const work = async (): Promise<void> => {
    for (const index of orders) {
      const place = places[index % places.length];
      if (place === undefined) return;
      const deviceId = `pretend-${String(index + 1).padStart(4, '0')}-${randomHex(systemRandom, 2)}`;
      const flash = join(directory, 'appliances', deviceId);
      const name = await manufacture(admin, deviceId, flash);
      const trustedRoots = [authority.rootPem];
      const broker = `mqtts://${door.host}:${door.port}`;
      const parts = { deviceId, name, flash, ...place, broker, trustedRoots, clock: systemClock };
      made[index] = new VirtualAppliance({ ...parts, ...(logger && { logger }) });
      onManufactured?.(++finished);
    }
  };
  await Promise.all(Array.from({ length: FACTORY_HANDS }, work));
  return made;
}
