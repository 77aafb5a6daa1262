import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Problem } from './problems.ts';
import { LookupFailure, type CaaRecord, type Resolver } from './resolver.ts';
import { Validator } from './validation.ts';

const PROOF = { name: 'a.test', accountUrl: 'https://ca.test/acct/1', keyAuthorization: 'token.thumbprint' };
const VALUE = createHash('sha256').update(PROOF.keyAuthorization).digest('base64url');
const REFUSING: readonly CaaRecord[] = [{ isCritical: false, tag: 'issue', value: ';' }];

function sees(values: readonly string[], caa: readonly CaaRecord[] = []): Resolver {
  return { txt: async () => values, caa: async () => caa };
}

const good = sees(['something old', VALUE]);
const blind = sees([]);

async function outcome(...perspectives: readonly [Resolver, ...Resolver[]]): Promise<string> {
  const validator = new Validator({ perspectives, caaIdentity: 'ca.test' });
  try {
    await validator.prove(PROOF, new AbortController().signal);
    return 'proved';
  } catch (error) {
    return error instanceof Problem ? `${error.type}: ${error.message}` : String(error);
  }
}

test('the value may stand among others', async () => {
  expect(await outcome(good)).toBe('proved');
});

test('an absent and a wrong record are told apart', async () => {
  expect(await outcome(blind)).toBe('unauthorized: No TXT record found at _acme-challenge.a.test');
  expect(await outcome(sees(['x', 'y']))).toBe(
    'unauthorized: Incorrect TXT record "x" (and 1 more) found at _acme-challenge.a.test',
  );
});

test('what a name server does wrong is a problem of dns', async () => {
  expect(await outcome({ ...good, txt: findNoName })).toMatch(
    /^dns: DNS problem: NXDOMAIN looking up TXT for _acme-challenge.a/,
  );
});

test('CAA that forbids fails a good proof', async () => {
  expect(await outcome(sees([VALUE], REFUSING))).toBe('caa: CAA record for a.test prevents issuance');
});

test('of two to five distant perspectives one may disagree, of six two', async () => {
  expect(await outcome(good, blind)).toMatch(/^unauthorized: During secondary validation/);
  expect(await outcome(good, good, blind)).toBe('proved');
  expect(await outcome(good, good, blind, blind)).toMatch(/^unauthorized: During secondary/);
  expect(await outcome(good, good, good, good, good, blind)).toBe('proved');
  expect(await outcome(good, good, good, good, good, blind, blind)).toBe('proved');
  expect(await outcome(good, good, good, good, blind, blind, blind)).toMatch(/During secondary/);
});

test('the record and CAA each have their own quorum, the record first', async () => {
  const refused = sees([VALUE], REFUSING);
  expect(await outcome(good, good, good, good, blind, refused)).toBe('proved');
  expect(await outcome(good, good, good, refused, refused, good)).toMatch(/^caa: During secondary validation/);
  expect(await outcome(good, good, good, good, blind, blind, refused)).toBe('proved');
});

test('the primary perspective cannot be outvoted', async () => {
  expect(await outcome(blind, good, good, good, good, good)).toMatch(/^unauthorized: No TXT/);
});

async function findNoName(name: string): Promise<never> {
  throw new LookupFailure({ type: 'TXT', name, outcome: 'NXDOMAIN' });
}
