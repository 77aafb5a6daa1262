import { expect, test } from 'vitest';
import { acceptNames, checkNumber } from './names.ts';
import { BOULDER_POLICY } from './policy.ts';
import { Problem } from './problems.ts';

const profile = { ...BOULDER_POLICY.profiles['classic']!, maxNames: 3 };

function accept(...values: readonly string[]): readonly string[] {
  return acceptNames(values.map((value) => ({ type: 'dns', value })));
}

function typeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof Problem ? error.type : String(error);
  }
  return undefined;
}

test('names are kept in lower case, each once, sorted', () => {
  expect(accept('B.test', 'a.test', 'b.TEST')).toEqual(['a.test', 'b.test']);
  expect(accept('a.test', '*.a.test')).toEqual(['*.a.test', 'a.test']);
});

test.each([
  '',
  'localhost',
  'a..test',
  'a.test.',
  '-a.test',
  'a_b.test',
  '*.*.test',
  'a.*.test',
  '*.test',
  '10.1.1.4',
  'ä.test',
  `${'a'.repeat(64)}.test`,
  `${'a.'.repeat(125)}test`,
])('%j is refused', (name) => {
  expect(typeOf(() => accept(name))).toBe('rejectedIdentifier');
});

test('an address, too many names, none, and a name that a wildcard covers are refused', () => {
  expect(typeOf(() => acceptNames([{ type: 'ip', value: '10.1.1.4' }]))).toBe('unsupportedIdentifier');
  expect(typeOf(() => checkNumber(accept('a.test', 'b.test', 'c.test', 'd.test'), profile))).toBe('malformed');
  expect(typeOf(() => accept())).toBe('malformed');
  expect(typeOf(() => accept('a.b.test', '*.b.test'))).toBe('malformed');
});
