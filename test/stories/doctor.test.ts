/** The doctor looks at a whole broker on loopback, through a resolver and a parent zone of this test's own. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker } from '@lanyard/broker';
import type { Broker, BrokerConfig } from '@lanyard/broker';
import { silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { startModelAuthority } from '@lanyard/simulator';
import type { Answer, Packet, Question } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { dataDirectory } from '../../broker/src/data-directory.ts';
import type { Finding } from '../../broker/src/doctor/finding.ts';
import { examineInstallation } from '../../broker/src/examination.ts';
import { DnsResolver } from '../../simulator/src/world/authority/dns-resolver.ts';
import { freePort } from '../../simulator/src/world/free-port.ts';
import { makeSettings } from '../support/in-process-broker.ts';
import { PretendDns } from '../support/pretend-dns.ts';
import type { Endpoint, Say } from '../support/pretend-dns.ts';

const ZONE = 'devices.lanyard.test';
const LOOPBACK = '127.0.0.1';
/** What they are called in this world, and where they are on this machine. */
const [OURS, PARENT, RESOLVER] = ['9.9.9.1', '9.9.9.2', '9.9.9.3'];
const places = new Map<string, Endpoint>();
const world = { clock: systemClock, random: systemRandom, log: silentLogger };

const endings: (() => Promise<unknown>)[] = [];
let directory: string;
let config: BrokerConfig;
let broker: Broker;
let hasGlue = true;

const NS: Answer = { type: 'NS', name: ZONE, ttl: 60, data: `ns1.${ZONE}` };
const GLUE: Answer = { type: 'A', name: `ns1.${ZONE}`, ttl: 60, data: OURS };

const parent: Say = () => ({ authorities: [NS], additionals: hasGlue ? [GLUE] : [] });

const resolver: Say = ({ name, type }: Question): Partial<Packet> | { forwardTo: Endpoint } => {
  const ours = places.get(OURS);
  if (name.endsWith(ZONE) && ours) return { forwardTo: ours };
  if (name === 'lanyard.test' && type === 'NS') {
    return { answers: [{ type: 'NS', name, ttl: 60, data: 'ns.parent.test' }] };
  }
  return name === 'ns.parent.test' && type === 'A' ? { answers: [{ type: 'A', name, ttl: 60, data: PARENT }] } : {};
};

async function served(say: Say): Promise<Endpoint> {
  const server = new PretendDns(say);
  endings.push(() => server.stop());
  return await server.start();
}

async function startBroker(): Promise<void> {
  broker = await createBroker({ config, log: silentLogger, onFailure });
  await broker.start();
}

function onFailure(error: Error): never {
  throw error;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanyard-doctor-'));
  endings.push(() => rm(directory, { recursive: true, force: true }));
  const ours = { host: LOOPBACK, port: await freePort() };
  places
    .set(OURS, ours)
    .set(PARENT, await served(parent))
    .set(RESOLVER, await served(resolver));
  const authority = await startModelAuthority({
    ...world,
    resolver: new DnsResolver({ ...world, server: ours, zones: [ZONE] }),
  });
  endings.push(() => authority.stop());
  const ca = { ...authority, caaIdentity: 'model.lanyard.test' };
  const plan = { directory, ca, zone: ZONE, dnsPort: ours.port, mqttPort: await freePort() };
  const made = await makeSettings(plan);
  config = {
    ...made.config,
    zone: { ...made.config.zone, nameServers: [{ name: `ns1.${ZONE}`, addresses: [OURS] }] },
    admin: { host: LOOPBACK, port: await freePort() },
  };
  await writeFile(join(directory, 'lanyard.yaml'), stringify(config));
  await startBroker();
});

afterAll(async () => {
  await broker.stop();
  for (const end of endings.toReversed()) await end();
});

const endpointOf = (server: string): Endpoint => places.get(server) ?? { host: LOOPBACK, port: 9 };

async function examined(): Promise<readonly Finding[]> {
  const configPath = join(directory, 'lanyard.yaml');
  return await examineInstallation({ configPath, resolvers: [RESOLVER], endpointOf, ...world });
}

/** The disk is the machine's own and may be full. */
function complaintsOf(findings: readonly Finding[]): readonly string[] {
  const wrong = findings.filter(({ severity, check }) => severity !== 'ok' && check !== 'disk');
  return wrong.map(({ severity, check, what }) => `${severity} ${check}: ${what}`);
}

describe('the doctor', () => {
  test('finds nothing wrong where nothing is', { timeout: 60_000 }, async () => {
    // The account is opened, and CAA published, after the start.
    const findings = await vi.waitFor(
      async () => {
        const found = await examined();
        expect(complaintsOf(found)).toEqual([]);
        return found;
      },
      { timeout: 30_000 },
    );
    const checks = 'account broker caa ca-directory case clock data-directory database delegation edns glue mqtt';
    const more = 'name-server name-server-address negative-answers ns-set resolver round-trip secrets tcp';
    const seen = new Set(findings.map(({ check }) => check));
    expect(seen).toEqual(new Set(`${checks} ${more} disk`.split(' ')));
  });

  test('sees what is missing at the parent, and a key that others can read', async () => {
    hasGlue = false;
    await chmod(dataDirectory(config.data).privateCaKey, 0o644);
    const complaints = complaintsOf(await examined());
    hasGlue = true;
    await chmod(dataDirectory(config.data).privateCaKey, 0o600);
    expect(complaints).toEqual([
      `error glue: The parent’s addresses for ns1.${ZONE} are none, the settings have ${OURS}.`,
      `error secrets: ${dataDirectory(config.data).privateCaKey} can be read by others than its owner.`,
    ]);
  });

  test('goes on with the rest while the broker is down', async () => {
    await broker.stop();
    const findings = await examined();
    await startBroker();
    expect(complaintsOf(findings).map((complaint) => complaint.split(':')[0])).toEqual([
      'error broker',
      'error name-server',
      'skipped round-trip',
      'error mqtt',
    ]);
    const well = findings.filter(({ severity }) => severity === 'ok').map(({ check }) => check);
    expect(well).toEqual(
      expect.arrayContaining(['delegation', 'glue', 'ca-directory', 'account', 'database', 'clock']),
    );
  });
});
