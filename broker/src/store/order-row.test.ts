import { LanyardError } from '@lanyard/sdk/kernel';
import { expect, test } from 'vitest';
import { orderFrom } from './order-row.ts';

const record = { name: '_acme-challenge.a.example', value: 'digest' };
const places = { authorizationUrl: 'https://ca.example/authz/1', challengeUrl: 'https://ca.example/chall/1' };

function rowWith(challenge: object): unknown {
  const pace = { notBeforeMs: 1, tries: 0 };
  const state = { kind: 'publishing', orderUrl: 'https://ca.example/order/1', challenges: [challenge], ...pace };
  return {
    id: 'o',
    device_id: 'd',
    names: '["a.example"]',
    key_hash: 'k',
    csr: Uint8Array.of(1),
    requested_at_ms: 1,
    failures: 0,
    purpose: null,
    asleep_since_ms: null,
    placement: null,
    last_failure: null,
    detours: null,
    state: JSON.stringify(state),
  };
}

test.each([
  ['an older version stored, for the DNS', {}, 'txt'],
  ['is for the DNS', { kind: 'txt' }, 'txt'],
  ['is for HTTP', { kind: 'http' }, 'http'],
])('a challenge record that %s', (_what, stored, kind) => {
  const { state } = orderFrom(rowWith({ ...record, ...places, ...stored }));
  expect(state).toMatchObject({ challenges: [{ kind, ...record, ...places }] });
});

test('a challenge record of a kind that nobody knows is no order', () => {
  const row = rowWith({ ...record, ...places, kind: 'smoke' });
  expect(() => orderFrom(row)).toThrow(LanyardError);
  expect(() => orderFrom(row)).toThrow('a stored order is unreadable');
});
