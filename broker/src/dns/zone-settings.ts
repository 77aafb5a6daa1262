/** What the operator decides about a zone, and the check of it. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { formatCaa, parseCaa, type CaaRecord } from './caa-record.ts';
import { isWithin, parseDomainName } from './domain-name.ts';
import { addressRecord } from './record-data.ts';

export interface ZoneSettings {
  readonly apex: string;
  readonly soa: SoaSettings;
  /** The set that the parent delegates to; two or more, in different networks, for a zone on the Internet. */
  readonly nameServers: readonly NameServer[];
  /** The zone's CAA set at start. Omitted: the set that was last published stays until `setCaa`. */
  readonly caa?: readonly CaaRecord[];
}

export interface SoaSettings {
  /** The name of the primary name server. */
  readonly mname: string;
  /** The mailbox of whoever is responsible, with its `@` written as a dot. */
  readonly rname: string;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
  /** How long a negative answer is remembered. */
  readonly minimumSeconds: number;
}

export interface NameServer {
  readonly name: string;
  /** Needed when the name lies in the zone itself: nobody else can answer for it. */
  readonly addresses: readonly string[];
}

/** A name that is looked up before it is published must heal fast: a validator that meets the memory fails the order. */
const LONGEST_MINIMUM_SECONDS = 60;
/** RFC 1912 §2.2 with a quick retry, as secondaries follow by NOTIFY; expire is four weeks. */
const SECONDARY_TIMES = { refreshSeconds: 3600, retrySeconds: 300, expireSeconds: 2_419_200 };
/** RFC 2308 §8: SOA times are 31-bit seconds. */
const LONGEST_SECONDS = 2 ** 31 - 1;
/** Thirteen fit a plain UDP answer with their glue; nobody needs more. */
const MAX_NAME_SERVERS = 13;

/** The SOA times that fit Lanyard. */
export function defaultSoa(mname: string, rname: string): SoaSettings {
  return { mname, rname, ...SECONDARY_TIMES, minimumSeconds: LONGEST_MINIMUM_SECONDS };
}

/**
 * The settings in canonical form.
 * @throws LanyardError `config-invalid` with everything that is wrong.
 */
export function checkZoneSettings(settings: ZoneSettings): ZoneSettings {
  const problems: string[] = [];
  const checked = {
    ...settings,
    apex: checkName(settings.apex, 'apex', problems),
    soa: checkSoa(settings.soa, problems),
    nameServers: settings.nameServers.map((server) => checkNameServer(server, settings.apex, problems)),
  };
  const servers = settings.nameServers.length;
  if (servers === 0 || servers > MAX_NAME_SERVERS) problems.push(`name servers: 1 to ${MAX_NAME_SERVERS}`);
  for (const caa of settings.caa ?? []) {
    if (parseCaa(formatCaa(caa)) === undefined) problems.push(`CAA: ${formatCaa(caa)} is malformed`);
  }
  if (problems.length > 0) {
    throw new LanyardError('config-invalid', { message: `zone ${settings.apex}: ${problems.join('; ')}` });
  }
  return checked;
}

function checkName(text: string, what: string, problems: string[]): string {
  const name = parseDomainName(text);
  if (name === undefined) problems.push(`${what}: "${text}" is no domain name (no trailing dot)`);
  return name ?? text;
}

function checkSoa(soa: SoaSettings, problems: string[]): SoaSettings {
  for (const seconds of [soa.refreshSeconds, soa.retrySeconds, soa.expireSeconds, soa.minimumSeconds]) {
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_SECONDS) problems.push(`SOA: ${seconds} s`);
  }
  if (soa.minimumSeconds > LONGEST_MINIMUM_SECONDS) problems.push(`SOA minimum: at most ${LONGEST_MINIMUM_SECONDS} s`);
  return {
    ...soa,
    mname: checkName(soa.mname, 'primary name server', problems),
    rname: checkName(soa.rname, 'responsible mailbox', problems),
  };
}

function checkNameServer(server: NameServer, apex: string, problems: string[]): NameServer {
  const name = checkName(server.name, 'name server', problems);
  for (const address of server.addresses) {
    if (addressRecord(address) === undefined) problems.push(`name server ${name}: "${address}" is no address`);
  }
  if (server.addresses.length === 0 && isWithin(name, apex.toLowerCase())) {
    problems.push(`name server ${name}: a name inside the zone needs its addresses`);
  }
  return { name, addresses: server.addresses };
}
