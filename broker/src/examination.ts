/** Puts together what `lanyard doctor` looks at and with; beside broker.ts it wires adapters for the command line. */
import { getServers } from 'node:dns';
import { MessageChannel } from 'node:worker_threads';
import { LanyardError, deadline, describeError } from '@lanyard/sdk/kernel';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import { withAccountDesk } from './accounts.ts';
import { pinnedRecords } from './caa-pin.ts';
import { loadConfig } from './config.ts';
import type { BrokerConfig, CaSettings } from './config.ts';
import { dataDirectory, readText } from './data-directory.ts';
import { httpClient } from './doctor/ask-http.ts';
import type { AccountState, AuthoritySubject } from './doctor/authorities.ts';
import type { ExpectedCaa } from './doctor/caa.ts';
import { dnsClient } from './doctor/dns-client.ts';
import type { Endpoint } from './doctor/dns-client.ts';
import { examine } from './doctor/examine.ts';
import type { Subject } from './doctor/examine.ts';
import type { Finding } from './doctor/finding.ts';
import { handshakes } from './doctor/shake-hands.ts';
import { inspectDatabase } from './store/inspect-database.ts';

export interface ExaminationOptions {
  readonly configPath: string;
  /** Empty: the system's. */
  readonly resolvers: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** Where the name server of an address listens; for tests, where nobody may listen at port 53. */
  readonly endpointOf?: (server: string) => Endpoint;
}

/** A CA under load answers late; one that takes longer is not well. */
const ACCOUNT_MS = 10_000;

/** @throws LanyardError `config-unreadable` | `config-invalid`: without settings there is nothing to look at. */
export async function examineInstallation(options: ExaminationOptions): Promise<readonly Finding[]> {
  const { clock, random, endpointOf } = options;
  const ask = dnsClient({ clock, random, ...(endpointOf && { endpointOf }) });
  const world = { ask, askHttp: httpClient(clock), shakeHands: handshakes(clock), clock, random };
  const subject = await subjectOf(await loadConfig(options.configPath), options);
  return await stayingAwake(() => examine(subject, world));
}

/** Timers of the clock keep no process alive, so that one would end in the middle of a pause. */
async function stayingAwake<T>(work: () => Promise<T>): Promise<T> {
  const { port1 } = new MessageChannel();
  port1.ref();
  try {
    return await work();
  } finally {
    port1.close();
  }
}

async function subjectOf(config: BrokerConfig, options: ExaminationOptions): Promise<Subject> {
  const { zone, mqtt, admin, data } = config;
  const files = dataDirectory(data);
  const host = admin.host.includes(':') ? `[${admin.host}]` : admin.host;
  const resolvers = options.resolvers.length > 0 ? options.resolvers : getServers();
  return {
    zone: { ...zone, resolvers, expectedCaa: await expectedCaa(config, options) },
    authorities: await Promise.all(casOf(config).map((ca) => authorityOf(ca, options))),
    listener: { ...mqtt, rootPem: await readable(files.privateCaCertificate) },
    admin: { origin: `http://${host}:${admin.port}`, token: (await readable(files.adminToken))?.trim() },
    data: {
      directory: data,
      secrets: await secretsOf(config),
      database: files.database,
      inspectDatabase,
    },
  };
}

/** An account is there only after the first start. */
async function secretsOf(config: BrokerConfig): Promise<readonly string[]> {
  const files = dataDirectory(config.data);
  const accounts = casOf(config).map(({ directory }) => files.acmeAccount(directory));
  const there = await Promise.all(accounts.map(async (path) => ((await readable(path)) === undefined ? [] : [path])));
  const customerKeys = casOf(config).flatMap(({ externalAccount }) => externalAccount?.hmacKeyFile ?? []);
  return [files.privateCaKey, files.adminToken, ...there.flat(), ...customerKeys];
}

function casOf({ acme: { failover, rehearsal, ...first } }: BrokerConfig): readonly CaSettings[] {
  return [first, ...failover, ...(rehearsal ? [rehearsal] : [])];
}

/** By the accounts as they are stored: that the CA is away changes no record. */
async function expectedCaa(config: BrokerConfig, options: ExaminationOptions): Promise<ExpectedCaa> {
  const cas = casOf(config);
  if (cas.every(({ caaIdentity }) => caaIdentity === undefined)) return { kind: 'open' };
  const issuers = await Promise.all(
    cas.map(async ({ caaIdentity: identity, challenge, directory }) => {
      const state = await accountState(directory, options, true);
      return { identity, challenge, accountUrl: () => (state.kind === 'known' ? state.url : undefined) };
    }),
  );
  const records = pinnedRecords(issuers).map(({ flags, tag, value }) => `${flags} ${tag} "${value}"`);
  return { kind: 'pinned', records };
}

async function authorityOf(
  { directory, profile, roots }: CaSettings,
  options: ExaminationOptions,
): Promise<AuthoritySubject> {
  return {
    directoryUrl: directory,
    profile,
    rootsPem: roots === undefined ? undefined : await readable(roots),
    account: async () => await accountState(directory, options, false),
  };
}

async function accountState(
  directory: string,
  { configPath, clock }: ExaminationOptions,
  isOffline: boolean,
): Promise<AccountState> {
  using limit = deadline(clock, ACCOUNT_MS);
  let state: AccountState = { kind: 'refused', reason: 'nothing was found out' };
  try {
    await withAccountDesk({ configPath, ca: directory, clock, signal: limit.signal }, async (desk) => {
      const { url, atCa, complaint } = await desk.show({ isOffline });
      if (complaint !== undefined) state = { kind: 'refused', reason: complaint };
      else if (url === undefined) state = { kind: 'none', reason: 'the CA has not given it a URL' };
      else state = { kind: 'known', url, status: atCa?.status ?? 'unknown' };
    });
  } catch (error) {
    const kind = LanyardError.is(error) && error.code === 'account-unusable' ? 'none' : 'refused';
    return { kind, reason: describeError(error) };
  }
  return state;
}

/** What cannot be read is told by the check of the files. */
async function readable(path: string): Promise<string | undefined> {
  return await readText(path).catch(() => undefined);
}
