/** docs/errors.md and the table of codes say the same. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '@lanyard/sdk/kernel';

const text = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
/** Under each `### \`code\``, up to the next heading. */
const sections = new Map(
  [...text.matchAll(/^### `([^`]+)`\n(.*?)(?=^#|$(?![^]))/gms)].map(([, code = '', body = '']) => [code, body]),
);

test('every code is documented', () => {
  expect(Object.keys(ERRORS).filter((code) => !sections.has(code))).toEqual([]);
});

test('every documented code exists, once', () => {
  expect([...sections.keys()].filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
  expect(text.match(/^### /gm)).toHaveLength(sections.size);
});

describe('each code says what it means and what to do', () => {
  test.each([...sections])('%s', (_, body) => {
    const [meaning = '', advice = ''] = body.split('**What to do.**');
    expect(meaning.trim().length).toBeGreaterThan(20);
    expect(advice.trim().length).toBeGreaterThan(10);
  });
});

test('codes are lower-case words with hyphens between', () => {
  expect(Object.keys(ERRORS).filter((code) => !/^[a-z]+(-[a-z]+)*$/.test(code))).toEqual([]);
});
