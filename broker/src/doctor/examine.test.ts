import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { examine } from './examine.ts';
import type { ExaminationWorld, Subject } from './examine.ts';
import { SUBJECT, worldWith } from './test-world.ts';

const NOWHERE = '/nowhere/lanyard';

const subject: Subject = {
  zone: SUBJECT,
  authorities: [],
  listener: { names: ['broker.example.com'], port: 8883, rootPem: 'root' },
  admin: { origin: 'http://127.0.0.1:8080', token: 'secret' },
  data: { directory: NOWHERE, secrets: [], database: NOWHERE, inspectDatabase: () => [] },
};

function worldAt(clock: VirtualClock, changes: Partial<ExaminationWorld> = {}): ExaminationWorld {
  return {
    ask: worldWith(),
    askHttp: async () => ({ kind: 'silence', reason: 'ECONNREFUSED' }),
    shakeHands: async () => ({ kind: 'silence', reason: 'ECONNREFUSED' }),
    clock,
    random: seededRandom(1),
    ...changes,
  };
}

test('one check that fails by itself leaves the others alone', async () => {
  const findings = await examine(
    subject,
    worldAt(new VirtualClock(), { shakeHands: () => Promise.reject(new Error('a defect')) }),
  );
  const unfinished = findings.filter(({ what }) => what.includes('a defect'));
  expect(unfinished).toMatchObject([{ check: 'mqtt', severity: 'error' }]);
  expect(findings).toContainEqual(expect.objectContaining({ check: 'delegation', severity: 'ok' }));
});

test('one check that does not end is given up, and the others count', async () => {
  const clock = new VirtualClock();
  const examined = examine(subject, worldAt(clock, { shakeHands: () => new Promise<never>(() => {}) }));
  await clock.advance(20_000);
  const findings = await examined;
  expect(findings).toContainEqual(expect.objectContaining({ check: 'mqtt', severity: 'error' }));
  expect(findings).toContainEqual(expect.objectContaining({ check: 'tcp', severity: 'ok' }));
});
