import { expect, test } from 'vitest';
import type { Todo } from '@lanyard/sdk/protocol';
import type { Order } from './order.ts';
import { decideTodo, hasExactly } from './standing.ts';
import type { Standing } from './standing.ts';
import type { StoredCertificate } from './stored-certificate.ts';

const NOW_MS = 1_700_000_000_000;
const NAMES = ['a.devices.example.com'];

const certificate: StoredCertificate = {
  deviceId: 'appliance-1',
  orderId: 'order-1',
  names: NAMES,
  fingerprint: 'f',
  keyHash: 'key-1',
  serial: '01',
  notBeforeMs: NOW_MS - 30,
  notAfterMs: NOW_MS + 90,
  issuedAtMs: NOW_MS - 30,
  authority: 'ca',
  renewAtMs: NOW_MS + 60,
};
const order: Order = {
  id: 'order-1',
  deviceId: 'appliance-1',
  names: NAMES,
  keyHash: 'key-1',
  csr: Uint8Array.of(1),
  requestedAtMs: NOW_MS - 30,
  failures: 0,
  state: { kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 },
};
const clearing: Order = {
  ...order,
  state: {
    kind: 'clearing',
    challenges: [],
    aftermath: { kind: 'issued', fingerprint: 'f' },
    notBeforeMs: NOW_MS,
    tries: 0,
  },
};
const held = { fingerprint: 'f', keyHash: 'key-1', notAfterMs: NOW_MS + 90 };
const other = { fingerprint: 'g', keyHash: 'key-0', notAfterMs: NOW_MS + 10 };
const due = { ...certificate, renewAtMs: NOW_MS };
const expired = { ...due, notAfterMs: NOW_MS };

const TABLE: readonly (readonly [what: string, standing: Partial<Standing>, todo: Todo])[] = [
  ['asks for a first request', {}, { kind: 'request', reason: 'first' }],
  [
    'asks for a first request of one that holds a certificate which is not ours',
    { held: other },
    { kind: 'request', reason: 'first' },
  ],
  [
    'lets it wait for its order',
    { pendingKeyHash: 'key-1', dossier: { openOrder: order } },
    { kind: 'wait', keyHash: 'key-1' },
  ],
  [
    'lets it wait for its renewal',
    { held, pendingKeyHash: 'key-1', dossier: { openOrder: order, latestCertificate: due } },
    { kind: 'wait', keyHash: 'key-1' },
  ],
  [
    'has its certificate installed while the order still takes its challenge records down',
    { held: other, pendingKeyHash: 'key-1', dossier: { openOrder: clearing, latestCertificate: certificate } },
    { kind: 'install', fingerprint: 'f' },
  ],
  [
    'asks again when the order is for a key that it does not have',
    { pendingKeyHash: 'key-9', dossier: { openOrder: order } },
    { kind: 'request', reason: 'key-unknown' },
  ],
  [
    'asks again when it lost the key of the order',
    { dossier: { openOrder: order } },
    { kind: 'request', reason: 'key-unknown' },
  ],
  ['is content', { held, dossier: { latestCertificate: certificate } }, { kind: 'nothing' }],
  [
    'has a fresh certificate installed',
    { pendingKeyHash: 'key-1', dossier: { latestCertificate: certificate } },
    { kind: 'install', fingerprint: 'f' },
  ],
  [
    'has a renewed certificate installed beside the one it holds',
    { held: other, pendingKeyHash: 'key-1', dossier: { latestCertificate: certificate } },
    { kind: 'install', fingerprint: 'f' },
  ],
  [
    'has it installed when it has the key still, but not the certificate',
    { held: { ...held, fingerprint: 'g' }, dossier: { latestCertificate: certificate } },
    { kind: 'install', fingerprint: 'f' },
  ],
  [
    'has a certificate that is due already installed all the same: it is better than none',
    { pendingKeyHash: 'key-1', dossier: { latestCertificate: due } },
    { kind: 'install', fingerprint: 'f' },
  ],
  [
    'asks again when the key of the certificate is lost',
    { held: other, dossier: { latestCertificate: certificate } },
    { kind: 'request', reason: 'key-unknown' },
  ],
  [
    'asks for a renewal to the instant',
    { held, dossier: { latestCertificate: due } },
    { kind: 'request', reason: 'renewal' },
  ],
  [
    'asks for a renewal of what has expired, whatever it holds',
    { pendingKeyHash: 'key-1', dossier: { latestCertificate: expired } },
    { kind: 'request', reason: 'renewal' },
  ],
  [
    'asks again when its names have changed',
    { held, names: ['b.devices.example.com'], dossier: { latestCertificate: certificate } },
    { kind: 'request', reason: 'names-changed' },
  ],
];

for (const [what, standing, todo] of TABLE) {
  test(`an appliance ${what}`, () => {
    const nothing = { nowMs: NOW_MS, names: NAMES, held: undefined, pendingKeyHash: undefined, dossier: {} };
    expect(decideTodo({ ...nothing, ...standing })).toEqual(todo);
  });
}

test('names are the same whatever their order, and not when one is missing, more or doubled', () => {
  expect(hasExactly(['a', 'b'], ['b', 'a'])).toBe(true);
  expect(hasExactly([], [])).toBe(true);
  for (const names of [['a'], ['a', 'b', 'c'], ['a', 'a'], ['a', 'c'], []])
    expect(hasExactly(names, ['a', 'b'])).toBe(false);
});
