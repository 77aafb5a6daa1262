import { expect, test } from 'vitest';
import { permitsIssuance } from './caa.ts';
import type { CaaRecord } from './resolver.ts';

const PLAIN = { identity: 'ca.test', accountUrl: 'https://ca.test/acct/1', method: 'dns-01', isWildcard: false };
const WILD = { ...PLAIN, isWildcard: true };

function issue(value: string): CaaRecord {
  return { isCritical: false, tag: 'issue', value };
}
function issuewild(value: string): CaaRecord {
  return { isCritical: false, tag: 'issuewild', value };
}

test.each([
  ['no record', []],
  ['our name', [issue('ca.test')]],
  ['our name among others, in capitals', [issue('other.test'), { ...issue('CA.TEST'), tag: 'ISSUE' }]],
  ['a semicolon without parameters', [issue('ca.test;')]],
  ['our account', [issue('ca.test; accounturi=https://ca.test/acct/1')]],
  ['our account and method', [issue('ca.test;accounturi=https://ca.test/acct/1 ; validationmethods=http-01,dns-01')]],
  ['an unknown parameter', [issue('ca.test; policy=ev')]],
  ['only iodef', [{ isCritical: true, tag: 'iodef', value: 'mailto:a@b.test' }]],
  ['an unknown tag that is not critical', [{ isCritical: false, tag: 'future', value: 'x' }]],
  ['only issuewild for another, which says nothing about plain names', [issuewild('other.test')]],
])('CAA permits: %s', (_, records) => {
  expect(permitsIssuance(records, PLAIN)).toBe(true);
});

test.each([
  ['nobody', [issue(';')]],
  ['another CA', [issue('other.test')]],
  ['another account', [issue('ca.test; accounturi=https://ca.test/acct/2')]],
  ['our account with a slash more', [issue('ca.test; accounturi=https://ca.test/acct/1/')]],
  [
    'two accounts in one record',
    [issue('ca.test; accounturi=https://ca.test/acct/1; accounturi=https://ca.test/acct/1')],
  ],
  ['another method', [issue('ca.test; validationmethods=http-01')]],
  ['a parameter that cannot be read', [issue('ca.test; accounturi')]],
  ['a critical tag that is not known', [issue('ca.test'), { isCritical: true, tag: 'future', value: 'x' }]],
])('CAA forbids: %s', (_, records) => {
  expect(permitsIssuance(records, PLAIN)).toBe(false);
});

test('issuewild alone decides about wildcards where there is one', () => {
  expect(permitsIssuance([issue('ca.test'), issuewild('other.test')], WILD)).toBe(false);
  expect(permitsIssuance([issue('other.test'), issuewild('ca.test')], WILD)).toBe(true);
  expect(permitsIssuance([issue('other.test')], WILD)).toBe(false);
});
