import { expect, test } from 'vitest';
import type { HttpAnswer, HttpQuestion } from './ask-http.ts';
import { askForProbe, examineBroker } from './broker-health.ts';
import { complaintsOf } from './test-world.ts';

const admin = { origin: 'http://127.0.0.1:8080', token: 'secret' };
const answer = (document: unknown, status = 200): HttpAnswer => ({ kind: 'answer', status, aheadMs: 0, document });
const silence = { kind: 'silence', reason: 'ECONNREFUSED' } as const;
const part = (isHealthy: boolean) => ({ part: 'mqtt', isHealthy, detail: '3 appliances connected' });

test.each([
  ['well', answer({ findings: [part(true)] }), []],
  ['down', silence, ['error broker']],
  ['somebody else', answer({ hello: 1 }), ['error broker']],
  [
    'two parts ill',
    answer({ findings: [part(false), part(true), part(false)] }, 503),
    ['error broker', 'error broker'],
  ],
])('%s', async (_name, outcome, expected) => {
  expect(complaintsOf(await examineBroker(admin, async () => outcome))).toEqual(expected);
});

test('a record is asked for with the token', async () => {
  const asked: HttpQuestion[] = [];
  const ask = async (question: HttpQuestion) => (asked.push(question), answer({ name: 'n', value: 'v' }, 201));
  expect(await askForProbe(admin, ask)).toEqual({ name: 'n', value: 'v' });
  expect(asked).toEqual([{ url: 'http://127.0.0.1:8080/v1/probe', method: 'POST', token: 'secret' }]);
});

test.each([
  ['no token', { ...admin, token: undefined }, answer({}), 'the admin token cannot be read'],
  ['no broker', admin, silence, 'no broker runs that would publish a record'],
  ['an older broker', admin, answer({ code: 'not-found' }, 404), 'the broker did not publish a record (status 404)'],
])('%s: it says why not', async (_name, subject, outcome, reason) => {
  expect(await askForProbe(subject, async () => outcome)).toEqual({ reason });
});
