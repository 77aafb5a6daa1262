import { expect, test } from 'vitest';
import { checkNodeVersion } from './node-version.ts';

test.each(['24.15.0', '24.21.0', '25.0.0', '26.1.3', '100.0.0-nightly'])('Node %s is recent enough', (version) => {
  expect(() => checkNodeVersion(version)).not.toThrow();
});

test.each(['24.14.9', '23.99.0', '22.20.0', '4.0.0', '', 'x'])('Node %j is too old, and is told so', (version) => {
  expect(() => checkNodeVersion(version)).toThrow(expect.objectContaining({ code: 'node-too-old' }));
});
