/** A world in which everything is right, and one fault at a time. Only for tests. */
import type { AskDns, DnsOutcome, DnsQuestion, DnsRecord, DnsReply } from './ask-dns.ts';
import type { NameServersSubject } from './name-servers.ts';
import type { Finding } from './finding.ts';

export const APEX = 'devices.example.com';
/** Public ones, as names of this world only. */
export const OURS = '9.9.9.1';
export const PARENT = '9.9.9.2';
export const SECOND_PARENT = '9.9.9.3';
export const RESOLVER = '9.9.9.4';
export const CAA_RECORDS = [
  '0 issue "ca.example; accounturi=https://ca.example/1; validationmethods=dns-01"',
  '0 issuewild ";"',
];

export const SUBJECT: NameServersSubject = {
  apex: APEX,
  nameServers: [{ name: `ns1.${APEX}`, addresses: [OURS] }],
  resolvers: [RESOLVER],
  expectedCaa: { kind: 'pinned', records: CAA_RECORDS },
};

export const SILENCE: DnsOutcome = { kind: 'silence', reason: 'no answer', isUnroutable: false };

/** Undefined: as it should be. */
export type Deviation = (question: DnsQuestion, right: DnsReply) => DnsOutcome | undefined;

export function worldWith(deviation: Deviation = () => undefined): AskDns {
  return async (question) => {
    const right = rightReply(question);
    return deviation(question, right) ?? right;
  };
}

export function reply(parts: Partial<DnsReply> = {}): DnsReply {
  return {
    kind: 'reply',
    rcode: 0,
    isAuthoritative: true,
    isCaseKept: true,
    ednsBytes: 1232,
    answers: [],
    authorities: [],
    additionals: [],
    ...parts,
  };
}

export function record(name: string, type: string, data: string): DnsRecord {
  return { name, type, data };
}

/** `severity check` of what is not ok. */
export function complaintsOf(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ severity }) => severity !== 'ok').map(({ severity, check }) => `${severity} ${check}`);
}

const SOA = record(APEX, 'SOA', `ns1.${APEX}`);
const NS = record(APEX, 'NS', `ns1.${APEX}`);
const GLUE = record(`ns1.${APEX}`, 'A', OURS);

function rightReply(question: DnsQuestion): DnsReply {
  if (question.server === RESOLVER) return reply({ isAuthoritative: false, answers: resolved(question) });
  if (question.server !== OURS) return reply({ isAuthoritative: false, authorities: [NS], additionals: [GLUE] });
  const { name, type } = question;
  if (name !== APEX) return reply({ rcode: 3, authorities: [SOA] });
  const answers = [SOA, NS, ...CAA_RECORDS.map((data) => record(APEX, 'CAA', data))].filter((one) => one.type === type);
  return answers.length > 0 ? reply({ answers }) : reply({ authorities: [SOA] });
}

function resolved({ name, type }: DnsQuestion): readonly DnsRecord[] {
  const all = [
    record('example.com', 'NS', 'a.parent.example'),
    record('example.com', 'NS', 'b.parent.example'),
    record('a.parent.example', 'A', PARENT),
    record('b.parent.example', 'A', SECOND_PARENT),
    GLUE,
  ];
  return all.filter((one) => one.name === name && one.type === type);
}
