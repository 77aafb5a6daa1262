/** The vendor's side of a run: a broker and a CA that are started for it, or a broker that somebody else runs. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { adminClient } from '@lanyard/broker';
import type { AdminClient } from '@lanyard/broker';
import { LanyardError, silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { openVendor } from '../../simulator.ts';
import { takenFor } from '../../world/authority/authority-event.ts';
import type { AuthorityEvent } from '../../world/authority/authority-event.ts';
import { startModelAuthority } from '../../world/authority/start-model-authority.ts';
import type { ModelAuthorityStart } from '../../world/authority/start-model-authority.ts';
import type { BrokerProcess } from '../../world/broker-process.ts';
import type { Witness } from '../../world/happening.ts';
import type { WallPlan } from './wall-plan.ts';

/** A broker that runs already, with a CA of its own. */
export interface ExistingBroker {
  /** `mqtts://host:port`. */
  readonly broker: string;
  /** Where its admin API is, for instance `http://127.0.0.1:8080`. */
  readonly admin: string;
  readonly adminToken: string;
  /** PEM roots of its CA; the system's when left out. */
  readonly trustedRoots?: readonly string[];
  /** Whether it takes PROXY headers from here (`mqtt.proxyPeers`), so that every site has its own address. */
  readonly takesProxyHeader?: boolean;
}

export type AuthorityOptions = Pick<ModelAuthorityStart, 'policy' | 'limits'>;

export interface WallVendor {
  readonly door: { readonly host: string; readonly port: number };
  readonly admin: AdminClient;
  readonly adminAccess: { readonly origin: string; readonly token: string };
  readonly trustedRoots: readonly string[];
  readonly takesProxyHeader: boolean;
  /** Undefined when it is somebody else's. */
  readonly broker: BrokerProcess | undefined;
  /** For what the run puts on disk. */
  readonly directory: string;
  close(): Promise<void>;
}

/** What the model CA calls itself in CAA records. */
const CAA_IDENTITY = 'model.lanyard.test';

export async function openWallVendor(
  settings: WallPlan['settings'],
  authority: AuthorityOptions | undefined,
  tell: Witness,
): Promise<WallVendor> {
  const vendor = await openVendor({
    isBehindNats: true,
    // In the run's own process, which has little else to do: broker, CA and crowd are then three.
    startAuthority: async ({ host, port }, zone) => {
      const world = { clock: systemClock, random: systemRandom, log: silentLogger };
      const running = await startModelAuthority({
        ...world,
        ...authority,
        resolver: { host, port, zones: [zone] },
        onEvent: (event) => tell(happeningOf(event)),
      });
      return { ...running, caaIdentity: CAA_IDENTITY };
    },
  });
  try {
    const adminAccess = await changeSettings(vendor.broker, settings);
    const token = (await readFile(join(vendor.directory, 'data', 'admin.token'), 'utf8')).trim();
    const { door, admin, broker, directory } = vendor;
    const trustedRoots = [vendor.authority.rootPem];
    const access = { origin: adminAccess, token };
    return {
      door,
      admin,
      adminAccess: access,
      trustedRoots,
      takesProxyHeader: true,
      broker,
      directory,
      close: () => vendor.close(),
    };
  } catch (error) {
    await vendor.close();
    throw error;
  }
}

export async function visitVendor(existing: ExistingBroker): Promise<WallVendor> {
  const url = URL.canParse(existing.broker) ? new URL(existing.broker) : undefined;
  if (url?.protocol !== 'mqtts:' || url.hostname === '') {
    const message = `option broker must be mqtts://host:port, not ${existing.broker}`;
    throw new LanyardError('option-invalid', { message });
  }
  const adminAccess = { origin: existing.admin, token: existing.adminToken };
  const admin = adminClient(adminAccess.origin, adminAccess.token);
  // Asked before anything is made: a wrong token should not show after a minute.
  await admin.get('/v1/appliances?limit=1');
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-'));
  return {
    door: { host: url.hostname, port: Number(url.port === '' ? 8883 : url.port) },
    admin,
    adminAccess,
    trustedRoots: existing.trustedRoots ?? [],
    takesProxyHeader: existing.takesProxyHeader ?? false,
    broker: undefined,
    directory,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

const settingsFile = z.looseObject({
  admin: z.looseObject({ host: z.string().default('127.0.0.1'), port: z.number() }),
});

/** @returns the origin of its admin API. */
async function changeSettings(broker: BrokerProcess, settings: WallPlan['settings']): Promise<string> {
  const { concurrency, ...appliances } = settings;
  const written = settingsFile.parse(parse(await readFile(broker.settingsPath, 'utf8')));
  await broker.stop();
  // Every connect is a line of the log at `info`, which costs more than what it tells of thousands.
  const changed = { ...written, appliances, issuance: { concurrency }, log: { level: 'warn' } };
  await writeFile(broker.settingsPath, stringify(changed));
  await broker.start();
  return `http://${written.admin.host}:${written.admin.port}`;
}

function happeningOf(event: AuthorityEvent): Parameters<Witness>[0] {
  const at = { kind: 'authority', atMs: systemClock.nowMs() } as const;
  switch (event.kind) {
    case 'ordered':
      return { ...at, what: event.kind, about: takenFor(event) };
    case 'certified':
      return { ...at, what: event.kind, about: event.names.join(' ') };
    case 'revoked':
      return { ...at, what: event.kind, about: event.serial };
    case 'validation-failed':
      return { ...at, what: event.kind, about: `${event.name}: ${event.detail}` };
    case 'limited':
    case 'overdrawn':
      return { ...at, what: event.kind, about: event.limit };
    case 'busy':
      return { ...at, what: event.kind, about: event.endpoint };
    case 'refused':
      return { ...at, what: event.kind, about: event.problem };
    case 'cut':
      return { ...at, what: event.kind, about: event.operation };
  }
}

/** The process that the CA lives in, when it is ours. */
export function authorityPid(vendor: WallVendor): number | undefined {
  return vendor.broker === undefined ? undefined : process.pid;
}
