import { expect, test } from 'vitest';
import { examineInheritedCaa } from './caa.ts';
import { APEX, RESOLVER, SILENCE, complaintsOf, record, reply, worldWith } from './test-world.ts';
import type { Deviation } from './test-world.ts';

const above =
  (zone: string, ...data: readonly string[]): Deviation =>
  ({ name, type }) =>
    type === 'CAA' && name === zone ? reply({ answers: data.map((one) => record(zone, 'CAA', one)) }) : undefined;

test.each<readonly [string, Deviation | undefined, readonly string[], readonly string[]]>([
  ['none above', undefined, ['ca.example'], []],
  ['ours is allowed', above('example.com', '0 issue "ca.example; validationmethods=dns-01"'), ['ca.example'], []],
  ['ours among several', above('com', '0 issue "other.example"', '0 issue "CA.example"'), ['ca.example'], []],
  ['only another', above('example.com', '0 issue "other.example"'), ['ca.example'], ['error caa']],
  ['nobody', above('example.com', '0 issue ";"'), ['ca.example'], ['error caa']],
  ['a CA that does not say its name', above('example.com', '0 issue "other.example"'), [], ['warning caa']],
  ['no answer', ({ type }) => (type === 'CAA' ? SILENCE : undefined), ['ca.example'], ['warning caa']],
  ['only about wildcards', above('example.com', '0 issuewild ";"'), ['ca.example'], []],
])('%s', async (_name, deviation, identities, expected) => {
  const subject = { apex: APEX, resolvers: [RESOLVER], identities };
  expect(complaintsOf(await examineInheritedCaa(subject, worldWith(deviation)))).toEqual(expected);
});
