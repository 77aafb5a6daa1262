/** A whole broker in this process, on loopback, with a CA that was started for it; and a factory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adminClient, createBroker, parseConfig } from '@lanyard/broker';
import type { AdminClient, Broker, BrokerConfig, BrokerConfigInput } from '@lanyard/broker';
import { randomHex, silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import type { TownAuthority } from '@lanyard/simulator';
import { dataDirectory } from '../../broker/src/data-directory.ts';
import { createPrivateCa } from '../../broker/src/pki/private-ca.ts';
import { manufacture } from '../../simulator/src/fleet/factory.ts';
import { Box } from '../stories/box.ts';

const LOOPBACK = '127.0.0.1';

export interface InProcessBrokerPlan {
  /** Of the test's own: for settings, keys, database and appliances. */
  readonly directory: string;
  readonly ca: TownAuthority;
  readonly zone: string;
  /** Where its name server listens: the CA has to know before. */
  readonly dnsPort: number;
  /** Where appliances find it, also after a restart. */
  readonly mqttPort: number;
  /** Beside ours. */
  readonly acme?: Partial<BrokerConfigInput['acme']>;
  readonly http?: BrokerConfigInput['http'];
  readonly acmeDns?: BrokerConfigInput['acmeDns'];
}

interface Settings {
  readonly config: BrokerConfig;
  readonly token: string;
}

/** Makes what `lanyard init` makes. */
export async function makeSettings(plan: InProcessBrokerPlan): Promise<Settings> {
  const { directory, ca, zone, dnsPort, mqttPort, acme, http, acmeDns } = plan;
  const data = join(directory, 'data');
  const roots = join(directory, 'ca-roots.pem');
  await writeFile(roots, ca.tlsRootPem);
  await mkdir(data, { mode: 0o700 });
  const files = dataDirectory(data);
  const privateCa = createPrivateCa('A test’s private CA', { clock: systemClock, random: systemRandom });
  const token = randomHex(systemRandom, 32);
  await writeFile(files.privateCaKey, privateCa.keyPem, { mode: 0o600 });
  await writeFile(files.privateCaCertificate, privateCa.certificatePem);
  await writeFile(files.adminToken, token, { mode: 0o600 });
  const config = parseConfig({
    data,
    zone: { apex: zone, nameServers: [{ name: `ns1.${zone}`, addresses: [LOOPBACK] }] },
    mqtt: { host: LOOPBACK, port: mqttPort, names: [LOOPBACK] },
    dns: { listen: [{ host: LOOPBACK, port: dnsPort }] },
    acme: { directory: ca.directoryUrl, roots, caaIdentity: ca.caaIdentity, ...acme },
    ...(http && { http }),
    ...(acmeDns && { acmeDns }),
    admin: { port: 0 },
    appliances: { reconnectSpreadSeconds: 0 },
  });
  return { config, token };
}

/** One after the other, on the same ports and the same data. */
export class InProcessBroker {
  readonly #plan: InProcessBrokerPlan;
  readonly #settings: Settings;
  #broker: Broker | undefined;

  private constructor(plan: InProcessBrokerPlan, settings: Settings) {
    this.#plan = plan;
    this.#settings = settings;
  }

  static async make(plan: InProcessBrokerPlan): Promise<InProcessBroker> {
    return new InProcessBroker(plan, await makeSettings(plan));
  }

  get admin(): AdminClient {
    const { adminPort } = this.#running.endpoints();
    return adminClient(`http://${LOOPBACK}:${adminPort}`, this.#settings.token);
  }

  /** Where its commands find it. */
  get adminPort(): number {
    return this.#running.endpoints().adminPort;
  }

  /** Where other ACME clients find it. */
  get acmeDnsUrl(): string {
    return `http://${LOOPBACK}:${this.#running.endpoints().acmeDnsPort}`;
  }

  async start(clock: Clock = systemClock): Promise<void> {
    const { config } = this.#settings;
    this.#broker = await createBroker({ config, log: silentLogger, onFailure, clock });
    await this.#broker.start();
  }

  async stop(): Promise<void> {
    await this.#broker?.stop();
    this.#broker = undefined;
  }

  /** A new appliance, not switched on yet. */
  async makeAppliance(deviceId: string): Promise<Box> {
    const { directory, ca, mqttPort } = this.#plan;
    const flash = join(directory, deviceId);
    const name = await manufacture(this.admin, deviceId, flash);
    return new Box({ deviceId, name, flash, broker: `mqtts://${LOOPBACK}:${mqttPort}`, rootPem: ca.rootPem });
  }

  get #running(): Broker {
    if (this.#broker === undefined) throw new Error('the broker does not run');
    return this.#broker;
  }
}

function onFailure(error: Error): never {
  throw error;
}
