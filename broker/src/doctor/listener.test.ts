import { expect, test } from 'vitest';
import { examineListener } from './listener.ts';
import type { Handshake } from './shake-hands.ts';
import { complaintsOf } from './test-world.ts';

const NOW_MS = Date.UTC(2026, 10, 24);
const DAY_MS = 86_400_000;
const subject = { names: ['broker.example.com'], port: 8883, rootPem: 'root' };
const shown = (days: number, complaint?: string): Handshake => ({
  kind: 'certificate',
  notAfterMs: NOW_MS + days * DAY_MS,
  complaint,
});

test.each<readonly [string, Handshake, readonly string[]]>([
  ['all is well', shown(365), []],
  ['nobody there', { kind: 'silence', reason: 'ECONNREFUSED' }, ['error mqtt']],
  ['another root', shown(365, 'SELF_SIGNED_CERT_IN_CHAIN'), ['error mqtt']],
  ['expired', shown(-1, 'CERT_HAS_EXPIRED'), ['error mqtt']],
  ['about to expire', shown(13), ['warning mqtt']],
])('%s', async (_name, handshake, expected) => {
  const world = { shakeHands: async () => handshake, nowMs: NOW_MS };
  expect(complaintsOf(await examineListener(subject, world))).toEqual(expected);
});

test('without a port or a root there is nothing to try', async () => {
  const world = { shakeHands: () => Promise.reject(new Error('tried')), nowMs: NOW_MS };
  expect(complaintsOf(await examineListener({ ...subject, port: 0 }, world))).toEqual(['skipped mqtt']);
  expect(complaintsOf(await examineListener({ ...subject, rootPem: undefined }, world))).toEqual(['skipped mqtt']);
});
