import { expect, test } from 'vitest';
import { examineDelegation } from './delegation.ts';
import {
  APEX,
  PARENT,
  RESOLVER,
  SECOND_PARENT,
  SILENCE,
  SUBJECT,
  complaintsOf,
  record,
  reply,
  worldWith,
} from './test-world.ts';
import type { Deviation } from './test-world.ts';

const isParent = (server: string): boolean => server === PARENT || server === SECOND_PARENT;
const NS = record(APEX, 'NS', `ns1.${APEX}`);

test('a right delegation is nothing to complain about', async () => {
  const findings = await examineDelegation(SUBJECT, worldWith());
  expect(findings.map(({ severity, check }) => `${severity} ${check}`)).toEqual(['ok delegation', 'ok glue']);
});

const both: Deviation = ({ server }) =>
  isParent(server) ? reply({ answers: [NS], additionals: [record(`ns1.${APEX}`, 'A', '9.9.9.1')] }) : undefined;

test('a parent that has both zones answers instead of referring', async () => {
  expect(complaintsOf(await examineDelegation(SUBJECT, worldWith(both)))).toEqual([]);
});

test('the parent may be several labels above', async () => {
  const apex = 'devices.eu.example.com';
  const subject = { ...SUBJECT, apex, nameServers: [{ name: 'ns1.example.net', addresses: [] }] };
  const there: Deviation = ({ server }) =>
    isParent(server) ? reply({ authorities: [record(apex, 'NS', 'ns1.example.net')] }) : undefined;
  expect(complaintsOf(await examineDelegation(subject, worldWith(there)))).toEqual([]);
});

const FAULTS: Readonly<Record<string, readonly [deviation: Deviation, complaint: string, what: RegExp]>> = {
  'no delegation at all': [
    ({ server }) => (isParent(server) ? reply({ rcode: 3 }) : undefined),
    'error delegation',
    /does not delegate devices\.example\.com/,
  ],
  'other name servers at the parent': [
    ({ server }, right) =>
      isParent(server) ? { ...right, authorities: [record(APEX, 'NS', 'ns.former.example')] } : undefined,
    'error delegation',
    /names ns\.former\.example .* the settings ns1\.devices\.example\.com/,
  ],
  'one name server too many': [
    ({ server }, right) =>
      isParent(server) ? { ...right, authorities: [NS, record(APEX, 'NS', 'ns2.example.net')] } : undefined,
    'error delegation',
    /ns1\.devices\.example\.com, ns2\.example\.net/,
  ],
  'parents that disagree': [
    ({ server }) => (server === SECOND_PARENT ? reply({ rcode: 0, additionals: [] }) : undefined),
    'warning delegation',
    /do not agree: \[ns1\.devices\.example\.com\] and \[none\]/,
  ],
  'no glue': [
    ({ server }, right) => (isParent(server) ? { ...right, additionals: [] } : undefined),
    'error glue',
    /addresses for ns1\.devices\.example\.com are none, the settings have 9\.9\.9\.1/,
  ],
  'glue of a former address': [
    ({ server }, right) =>
      isParent(server) ? { ...right, additionals: [record(`ns1.${APEX}`, 'A', '9.9.9.9')] } : undefined,
    'error glue',
    /are 9\.9\.9\.9/,
  ],
  'silent parents': [({ server }) => (isParent(server) ? SILENCE : undefined), 'error delegation', /do not answer/],
  'parents that refuse': [
    ({ server }) => (isParent(server) ? reply({ rcode: 5 }) : undefined),
    'error delegation',
    /do not answer for/,
  ],
  'silent resolvers': [
    ({ server }) => (server === RESOLVER ? SILENCE : undefined),
    'error delegation',
    /could be found through 9\.9\.9\.4/,
  ],
};

test.each(Object.entries(FAULTS))('%s', async (_name, [deviation, complaint, what]) => {
  const findings = await examineDelegation(SUBJECT, worldWith(deviation));
  expect(complaintsOf(findings)).toContain(complaint);
  expect(findings.map((finding) => finding.what).join('\n')).toMatch(what);
});
