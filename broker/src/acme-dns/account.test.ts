import { seededRandom } from '@lanyard/sdk/testing';
import { describe, expect, test } from 'vitest';
import { isPassword, makeAccount, withNewest } from './account.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const FACTS = { allowFrom: ['192.0.2.0/24'], createdAtMs: 7 };

describe('an account', () => {
  const { account, password } = makeAccount(seededRandom(1), FACTS);

  test('has names and a password of the form that acme-dns gives them', () => {
    expect(account).toMatchObject({ ...FACTS, texts: [] });
    expect(account.label).toMatch(UUID);
    expect(account.username).toMatch(UUID);
    expect(account.label).not.toBe(account.username);
    expect(password).toMatch(/^[\w-]{40}$/);
    expect(JSON.stringify(account)).not.toContain(password);
  });

  test('is like no other', () => {
    const random = seededRandom(1);
    const two = [makeAccount(random, FACTS), makeAccount(random, FACTS)];
    const all = two.flatMap((made) => [made.password, made.account.username, made.account.label]);
    expect(new Set(all).size).toBe(6);
  });

  test.each([
    ['its own', password, account, true],
    ['one with another last letter', `${password.slice(0, -1)}!`, account, false],
    ['none', '', account, false],
    ['its hash', account.passwordHash, account, false],
    ['that of another', makeAccount(seededRandom(2), FACTS).password, account, false],
    ['any, where there is no account', password, undefined, false],
    ['one for a broken hash', password, { ...account, passwordHash: '' }, false],
  ])('is opened by its own password alone: %s', (_what, given, whose, isRight) => {
    expect(isPassword(given, whose)).toBe(isRight);
  });
});

test.each([
  [[], 'a', ['a']],
  [['a'], 'b', ['b', 'a']],
  [['b', 'a'], 'c', ['c', 'b']],
  [['b', 'a'], 'b', ['b', 'a']],
  [['b', 'a'], 'a', ['a', 'b']],
])('%j and then %j is %j', (texts, newest, expected) => {
  expect(withNewest(texts, newest)).toEqual(expected);
});
