/** Port: one question to one name server or resolver. */

export interface DnsQuestion {
  /** Of the server; a resolver's may carry a port, such as `127.0.0.1:5335` or `[::1]:5335`. */
  readonly server: string;
  readonly name: string;
  readonly type: QuestionType;
  /** For resolvers: look it up at others (RD). */
  readonly isRecursive?: boolean;
  readonly byTcp?: boolean;
}

export type QuestionType = 'A' | 'AAAA' | 'CAA' | 'MX' | 'NS' | 'SOA' | 'TXT';

export type AskDns = (question: DnsQuestion) => Promise<DnsOutcome>;

export type DnsOutcome = DnsReply | DnsSilence;

export interface DnsReply {
  readonly kind: 'reply';
  readonly rcode: number;
  /** AA. */
  readonly isAuthoritative: boolean;
  /** The question came back in the letter case in which it was asked (0x20). */
  readonly isCaseKept: boolean;
  /** What the server says it takes by UDP (RFC 6891); undefined: it does not know EDNS. */
  readonly ednsBytes: number | undefined;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export interface DnsSilence {
  readonly kind: 'silence';
  readonly reason: string;
  /** This machine has no way to such an address, which says nothing about the server. */
  readonly isUnroutable: boolean;
}

/** Names in lower case; data as zone files write it. */
export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly data: string;
}

/** RFC 1035 §4.1.1. */
export const NO_ERROR = 0;
export const NAME_ERROR = 3;

const RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** What it said, in a word or two. */
export function said(outcome: DnsOutcome): string {
  if (outcome.kind === 'silence') return outcome.reason;
  return RCODE_NAMES[outcome.rcode] ?? `code ${outcome.rcode}`;
}

export function recordsOf(records: readonly DnsRecord[], name: string, type: QuestionType): readonly string[] {
  return records.filter((record) => record.name === name && record.type === type).map(({ data }) => data);
}

/** As sets: neither order nor repetition counts. */
export function areSame(one: readonly string[], other: readonly string[]): boolean {
  return listed(one) === listed(other);
}

export function listed(values: readonly string[]): string {
  return [...new Set(values)].toSorted().join(', ') || 'none';
}
