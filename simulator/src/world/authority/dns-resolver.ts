/** A validating CA's resolver in front of one authoritative name server, as strict as Unbound about its answers. */
import { deadline, describeError, type Clock, type Random } from '@lanyard/sdk/kernel';
import dnsPacket from 'dns-packet';
import type { Answer, DecodedPacket, RecordType } from 'dns-packet';
import { dnsOverSockets, type DnsExchange, type NameServerAddress } from './dns-exchange.ts';
import { LookupFailure, type CaaRecord, type Resolver } from './resolver.ts';

export interface DnsResolverOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** By sockets to an address, or by whatever carries packets. */
  readonly server: NameServerAddress | DnsExchange;
  /**
   * The zones that are delegated to the server, in lower case: other names are taken to be somebody else's and to
   * hold nothing. Without it the server is asked about every name, and the SOA of its negative answers shows where
   * its zone begins.
   */
  readonly zones?: readonly string[];
}

/** Unbound's default tries a server a few times before it gives up; Boulder wraps three tries around that. */
const TRIES = 3;

/** Ten times what a far server needs, and short enough for three tries of several names. */
const TRY_TIMEOUT_MS = 2000;

/** DNS flag day 2020. */
const UDP_PAYLOAD_BYTES = 1232;

/** As many as Unbound follows. */
const CNAME_LIMIT = 11;

export class DnsResolver implements Resolver {
  readonly #options: DnsResolverOptions;
  readonly #exchange: DnsExchange;

  constructor(options: DnsResolverOptions) {
    this.#options = options;
    const { server } = options;
    this.#exchange = 'byUdp' in server ? server : dnsOverSockets(server);
  }

  async txt(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const found = await this.#lookup(name, 'TXT', signal);
    if (found.isMissing) throw new LookupFailure({ type: 'TXT', name, outcome: 'NXDOMAIN' });
    return found.answers.flatMap((answer) => (answer.type === 'TXT' ? [textOf(answer.data)] : []));
  }

  /** RFC 8659 §3, from the name upwards; whatever stands above our server's zone is somebody else's and holds nothing. */
  async caa(name: string, signal: AbortSignal): Promise<readonly CaaRecord[]> {
    const labels = name.split('.');
    let apex: string | undefined;
    for (let skipped = 0; skipped < labels.length; skipped += 1) {
      const candidate = labels.slice(skipped).join('.');
      if (apex !== undefined && !isWithin(candidate, apex)) return [];
      const found = await this.#lookup(candidate, 'CAA', signal);
      const records = found.answers.flatMap(caaOf);
      if (records.length > 0) return records;
      apex ??= found.apex;
    }
    return [];
  }

  /** Follows aliases, as far as this server knows them. */
  async #lookup(name: string, type: RecordType, signal: AbortSignal): Promise<Found> {
    const { zones } = this.#options;
    let owner = name;
    for (let followed = 0; followed <= CNAME_LIMIT; followed += 1) {
      if (zones !== undefined && !zones.some((zone) => isWithin(owner, zone))) return NOWHERE;
      const reply = await this.#ask(owner, type, signal);
      const read = readReply(reply, owner, type);
      if (read.kind === 'faulty') throw new LookupFailure({ type, name, outcome: read.outcome, reason: read.reason });
      if (read.kind === 'found') return read;
      owner = read.target;
    }
    throw new LookupFailure({ type, name, outcome: 'SERVFAIL', reason: 'too many CNAMEs in a row' });
  }

  async #ask(name: string, type: RecordType, signal: AbortSignal): Promise<DecodedPacket> {
    let lastFailure: unknown;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      using limit = deadline(this.#options.clock, TRY_TIMEOUT_MS, signal);
      try {
        return await this.#askOnce(name, type, limit.signal);
      } catch (error) {
        if (signal.aborted || error instanceof LookupFailure) throw error;
        lastFailure = error;
      }
    }
    const isSilence = lastFailure instanceof DOMException && lastFailure.name === 'TimeoutError';
    throw new LookupFailure(
      isSilence
        ? { type, name, outcome: 'query timed out' }
        : { type, name, outcome: 'SERVFAIL', reason: describeError(lastFailure) },
    );
  }

  async #askOnce(name: string, type: RecordType, signal: AbortSignal): Promise<DecodedPacket> {
    const { random } = this.#options;
    const asked = { id: Math.floor(random.uniform() * 65_536), name: mixCase(name, random), type };
    const query = writeQuery(asked);
    const byUdp = await this.#exchange.byUdp(query, (message) => idOf(message) === asked.id, signal);
    const reply = decode(byUdp, asked);
    if (!reply.flag_tc) return reply;
    return decode(await this.#exchange.byTcp(query, signal), asked);
  }
}

interface Found {
  readonly kind: 'found';
  readonly answers: readonly Answer[];
  /** NXDOMAIN. */
  readonly isMissing: boolean;
  /** Where the server's zone begins, when a negative answer says so. */
  readonly apex?: string;
}

type Reading =
  | Found
  | { readonly kind: 'alias'; readonly target: string }
  | { readonly kind: 'faulty'; readonly outcome: 'SERVFAIL' | 'REFUSED'; readonly reason: string };

/** RFC 1035 §4.1.1. */
const RCODE = { noError: 0, nameError: 3, refused: 5 } as const;

const NOWHERE: Found = { kind: 'found', answers: [], isMissing: true };

/** Judges a reply as Unbound does: whatever a careful server would not send is the server's failure. */
function readReply(reply: DecodedPacket, owner: string, type: RecordType): Reading {
  const rcode = (reply.flags ?? 0) & 0x0f;
  if (rcode === RCODE.refused) return { kind: 'faulty', outcome: 'REFUSED', reason: 'the name server refused' };
  if (rcode !== RCODE.noError && rcode !== RCODE.nameError)
    return faulty(`the name server answered with code ${rcode}`);
  if (!reply.flag_aa) return faulty('the answer is not authoritative (AA is not set)');
  const { answers, alias } = chase(reply.answers ?? [], owner, type);
  if (answers.length > 0) return { kind: 'found', answers, isMissing: false };
  const soa = (reply.authorities ?? []).find((record) => record.type === 'SOA')?.name.toLowerCase();
  if (alias !== owner && soa === undefined) return { kind: 'alias', target: alias };
  // RFC 2308 §2: without it a resolver can neither cache the answer nor tell it from a broken delegation.
  if (soa === undefined) return faulty('a negative answer without SOA');
  if (!isWithin(alias, soa)) return faulty(`a negative answer with the SOA of ${soa}`);
  return { kind: 'found', answers, isMissing: rcode === RCODE.nameError, ...(alias === owner ? { apex: soa } : {}) };
}

/** Walks the CNAMEs within one answer (RFC 1034 §3.6.2). */
function chase(
  records: readonly Answer[],
  owner: string,
  type: RecordType,
): { answers: readonly Answer[]; alias: string } {
  let alias = owner.toLowerCase();
  for (let followed = 0; followed < CNAME_LIMIT; followed += 1) {
    const here = records.filter((record) => record.name.toLowerCase() === alias);
    const answers = here.filter((record) => record.type === type);
    const [target] = here.flatMap((record) => (record.type === 'CNAME' ? [record.data] : []));
    if (answers.length > 0 || target === undefined) return { answers, alias };
    alias = target.toLowerCase();
  }
  return { answers: [], alias };
}

interface Asked {
  readonly id: number;
  readonly name: string;
  readonly type: RecordType;
}

function writeQuery(asked: Asked): Buffer {
  return dnsPacket.encode({
    type: 'query',
    id: asked.id,
    questions: [{ name: asked.name, type: asked.type }],
    // Unbound asks with the DO bit whether or not the zone is signed.
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD_BYTES,
        flags: dnsPacket.DNSSEC_OK,
        extendedRcode: 0,
        ednsVersion: 0,
        flag_do: true,
        options: [],
      },
    ],
  });
}

/** @throws LookupFailure when it is no answer to what was asked, letter case included. */
function decode(message: Buffer, asked: Asked): DecodedPacket {
  const broken = (reason: string): LookupFailure =>
    new LookupFailure({ type: asked.type, name: asked.name.toLowerCase(), outcome: 'SERVFAIL', reason });
  let reply: DecodedPacket;
  try {
    reply = dnsPacket.decode(message);
  } catch {
    throw broken('the answer cannot be read');
  }
  if (reply.type !== 'response' || reply.id !== asked.id) throw broken('the answer belongs to another question');
  const [question, ...others] = reply.questions ?? [];
  if (question === undefined || others.length > 0 || question.type !== asked.type) {
    throw broken('the answer repeats another question');
  }
  // draft-vixie-dnsext-dns0x20: the mixed case is what a forger cannot know.
  if (question.name !== asked.name) throw broken('the answer does not repeat the letter case of the question (0x20)');
  return reply;
}

function idOf(message: Buffer): number | undefined {
  return message.length < 12 ? undefined : message.readUInt16BE(0);
}

function mixCase(name: string, random: Random): string {
  return name.replaceAll(/[a-z]/gi, (letter) => (random.uniform() < 0.5 ? letter.toUpperCase() : letter.toLowerCase()));
}

function caaOf(answer: Answer): readonly CaaRecord[] {
  if (answer.type !== 'CAA') return [];
  const { flags = 0, tag, value } = answer.data;
  return [{ isCritical: (flags & 0x80) !== 0, tag, value }];
}

/** RFC 8555 §8.4 compares the value; its strings are joined without anything between, as everywhere. */
function textOf(data: string | Buffer | readonly (string | Buffer)[]): string {
  if (typeof data === 'string') return data;
  if (Buffer.isBuffer(data)) return data.toString();
  return data.map((part) => part.toString()).join('');
}

function isWithin(name: string, zone: string): boolean {
  const [inner, outer] = [name.toLowerCase(), zone.toLowerCase()];
  return outer === '' || outer === '.' || inner === outer || inner.endsWith(`.${outer}`);
}

function faulty(reason: string): Reading {
  return { kind: 'faulty', outcome: 'SERVFAIL', reason };
}
