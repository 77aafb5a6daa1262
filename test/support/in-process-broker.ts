/** A whole broker in this process, on loopback, with a CA that was started for it; and a factory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adminClient, createBroker, parseConfig } from '@lanyard/broker';
import type { AdminClient, BrokerConfig, BrokerConfigInput } from '@lanyard/broker';
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
  readonly clock?: Clock;
  /** Beside ours. */
  readonly acme?: Partial<BrokerConfigInput['acme']>;
}

export interface InProcessBroker {
  readonly admin: AdminClient;
  /** A new appliance, not switched on yet. */
  makeAppliance(deviceId: string): Promise<Box>;
  stop(): Promise<void>;
}

/** Makes what `lanyard init` makes. */
export async function makeSettings(plan: InProcessBrokerPlan): Promise<{ config: BrokerConfig; token: string }> {
  const { directory, ca, zone, dnsPort, acme } = plan;
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
    mqtt: { host: LOOPBACK, port: 0, names: [LOOPBACK] },
    dns: { listen: [{ host: LOOPBACK, port: dnsPort }] },
    acme: { directory: ca.directoryUrl, roots, caaIdentity: ca.caaIdentity, ...acme },
    admin: { port: 0 },
    appliances: { reconnectSpreadSeconds: 0 },
  });
  return { config, token };
}

export async function openBroker(plan: InProcessBrokerPlan): Promise<InProcessBroker> {
  const { directory, ca, clock = systemClock } = plan;
  const { config, token } = await makeSettings(plan);
  const broker = await createBroker({ config, log: silentLogger, onFailure, clock });
  await broker.start();
  const { mqttPort, adminPort } = broker.endpoints();
  const admin = adminClient(`http://${LOOPBACK}:${adminPort}`, token);
  return {
    admin,
    makeAppliance: async (deviceId) => {
      const flash = join(directory, deviceId);
      const name = await manufacture(admin, deviceId, flash);
      return new Box({ deviceId, name, flash, broker: `mqtts://${LOOPBACK}:${mqttPort}`, rootPem: ca.rootPem });
    },
    stop: () => broker.stop(),
  };
}

function onFailure(error: Error): never {
  throw error;
}
