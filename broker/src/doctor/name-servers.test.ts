import { seededRandom } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import type { DnsOutcome, DnsQuestion, DnsReply } from './ask-dns.ts';
import { examineNameServers } from './name-servers.ts';
import type { NameServersSubject } from './name-servers.ts';
import { APEX, OURS, SILENCE, SUBJECT, complaintsOf, record, reply, worldWith } from './test-world.ts';
import type { Deviation } from './test-world.ts';

const examined = (deviation?: Deviation, subject: NameServersSubject = SUBJECT) =>
  examineNameServers(subject, { ask: worldWith(deviation), random: seededRandom(1) });

/** What our name server does otherwise. */
function ours(change: (question: DnsQuestion, right: DnsReply) => DnsOutcome | undefined): Deviation {
  return (question, right) => (question.server === OURS ? change(question, right) : undefined);
}

test('a right name server: every check is there, and well', async () => {
  const findings = await examined();
  expect(complaintsOf(findings)).toEqual([]);
  const checks = ['name-server-address', 'name-server', 'ns-set', 'negative-answers', 'tcp', 'edns', 'case', 'caa'];
  expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(checks));
});

const isAbsent = ({ name }: DnsQuestion): boolean => name.startsWith('_lanyard-doctor-');

const FAULTS: Readonly<Record<string, readonly [deviation: Deviation, complaints: readonly string[]]>> = {
  silence: [ours(() => SILENCE), ['error name-server']],
  'a server that refuses': [
    ours(({ type }) => (type === 'SOA' ? reply({ rcode: 5 }) : undefined)),
    ['error name-server', 'error tcp'],
  ],
  'an answer without authority': [
    ours(({ type, byTcp }, right) => (type === 'SOA' && !byTcp ? { ...right, isAuthoritative: false } : undefined)),
    ['error name-server'],
  ],
  'another NS set': [
    ours(({ type }) => (type === 'NS' ? reply({ answers: [record(APEX, 'NS', 'ns9.example.net')] }) : undefined)),
    ['error ns-set'],
  ],
  'no SOA beside NXDOMAIN': [
    ours((question, right) => (isAbsent(question) ? { ...right, authorities: [] } : undefined)),
    ['error negative-answers'],
  ],
  'no AA beside NXDOMAIN': [
    ours((question, right) => (isAbsent(question) ? { ...right, isAuthoritative: false } : undefined)),
    ['error negative-answers'],
  ],
  'an answer for what does not exist': [
    ours((question) => (isAbsent(question) ? reply({ answers: [record(question.name, 'A', '9.9.9.9')] }) : undefined)),
    ['error negative-answers'],
  ],
  'NXDOMAIN for a missing type': [
    ours(({ type }, right) => (type === 'MX' ? { ...right, rcode: 3 } : undefined)),
    ['error negative-answers'],
  ],
  'no TCP': [ours(({ byTcp }) => (byTcp ? SILENCE : undefined)), ['error tcp']],
  'no EDNS': [ours((_, right) => ({ ...right, ednsBytes: undefined })), ['warning edns']],
  'lower-cased questions': [ours((_, right) => ({ ...right, isCaseKept: false })), ['error case']],
  'silence about CAA alone': [ours(({ type }) => (type === 'CAA' ? SILENCE : undefined)), ['error caa']],
  'another account in CAA': [
    ours(({ type }) =>
      type === 'CAA' ? reply({ answers: [record(APEX, 'CAA', '0 issue "ca.example"')] }) : undefined,
    ),
    ['error caa'],
  ],
};

test.each(Object.entries(FAULTS))('%s', async (_name, [deviation, complaints]) => {
  expect(complaintsOf(await examined(deviation))).toEqual(complaints);
});

test('CAA that is not to be there is a warning, and none is right', async () => {
  const open = { ...SUBJECT, expectedCaa: { kind: 'open' } } as const;
  expect(complaintsOf(await examined(undefined, open))).toEqual(['warning caa']);
  const none = ours(({ type }) => (type === 'CAA' ? reply({ authorities: [record(APEX, 'SOA', 'ns')] }) : undefined));
  expect(complaintsOf(await examined(none, open))).toEqual([]);
});

test('CAA is not compared while no account is known', async () => {
  const unknown = { ...SUBJECT, expectedCaa: { kind: 'pinned', records: [] } } as const;
  expect(complaintsOf(await examined(undefined, unknown))).toEqual(['skipped caa']);
});

test('a private address is an error, whatever answers there', async () => {
  const inside = { ...SUBJECT, nameServers: [{ name: `ns1.${APEX}`, addresses: ['192.168.0.53'] }] };
  expect(complaintsOf(await examined(() => SILENCE, inside))).toEqual([
    'error name-server-address',
    'error name-server',
  ]);
});

test('addresses that the settings leave out are looked up; none is an error', async () => {
  const elsewhere = { ...SUBJECT, nameServers: [{ name: `ns1.${APEX}`, addresses: [] }] };
  expect(complaintsOf(await examined(undefined, elsewhere))).toEqual([]);
  const lost = { ...SUBJECT, nameServers: [{ name: 'ns.nowhere.example', addresses: [] }] };
  expect(complaintsOf(await examined(undefined, lost))).toEqual(['error name-server']);
});

const noRoute: Deviation = () => ({ kind: 'silence', reason: 'ENETUNREACH', isUnroutable: true });

test('without IPv6 here nothing is said about a server there', async () => {
  const v6 = { ...SUBJECT, nameServers: [{ name: `ns1.${APEX}`, addresses: ['2606:4700::1'] }] };
  expect(complaintsOf(await examined(noRoute, v6))).toEqual(['skipped name-server']);
});
