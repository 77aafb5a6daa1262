/** The SDK says the version that it is published as. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RELEASED_MS, SDK_VERSION } from './release.ts';

test('the version is that of the package', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: SDK_VERSION });
});

test('the release lies in the past, or every clock would be thought wrong', () => {
  expect(RELEASED_MS).toBeLessThan(Date.now());
});
