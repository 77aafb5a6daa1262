import { describe, expect, test } from 'vitest';
import type { Order, OrderState } from './order.ts';
import { decideRequest, type CertificateRequest } from './request.ts';
import type { StoredCertificate } from './stored-certificate.ts';

const NOW_MS = 1_700_000_000_000;
const waiting: OrderState = { kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 };

const request: CertificateRequest = {
  orderId: 'order-new',
  deviceId: 'appliance-1',
  names: ['a.devices.example.com', '*.a.devices.example.com'],
  keyHash: 'key-1',
  csr: Uint8Array.of(1, 2, 3),
  requestedAtMs: NOW_MS,
};

const nothingKnown = {
  openOrder: undefined,
  latestCertificate: undefined,
  keyFirstSeenFrom: undefined,
  isKeyRefused: false,
};

function openOrder(state: OrderState, changes: Partial<Order> = {}): Order {
  const { deviceId, names, keyHash, csr } = request;
  return { id: 'order-1', deviceId, names, keyHash, csr, requestedAtMs: NOW_MS - 1, failures: 0, state, ...changes };
}

function certificate(changes: Partial<StoredCertificate> = {}): StoredCertificate {
  const { deviceId, names, keyHash } = request;
  return {
    deviceId,
    orderId: 'order-1',
    names,
    fingerprint: 'f',
    keyHash,
    serial: '01',
    notBeforeMs: NOW_MS - 2,
    notAfterMs: NOW_MS + 90,
    issuedAtMs: NOW_MS - 1,
    authority: 'ca',
    renewAtMs: NOW_MS + 60,
    ...changes,
  };
}

describe('a first request', () => {
  test('opens an order that is due at once', () => {
    expect(decideRequest(nothingKnown, request)).toEqual({
      kind: 'accepted',
      order: {
        id: 'order-new',
        deviceId: 'appliance-1',
        names: request.names,
        keyHash: 'key-1',
        csr: request.csr,
        requestedAtMs: NOW_MS,
        purpose: { kind: 'first' },
        failures: 0,
        state: waiting,
      },
    });
  });

  test('with a key that anybody used before is refused', () => {
    for (const keyFirstSeenFrom of ['appliance-1', 'appliance-2']) {
      expect(decideRequest({ ...nothingKnown, keyFirstSeenFrom }, request)).toEqual({ kind: 'key-reused' });
    }
  });
});

describe('a request is for', () => {
  const expiresAtMs = NOW_MS + 90;
  test.each([
    ['a first certificate', undefined, { kind: 'first' }],
    ['a renewal that is due', { renewAtMs: NOW_MS }, { kind: 'renewal', expiresAtMs }],
    ['a replacement, before its time', { renewAtMs: NOW_MS + 1 }, { kind: 'replacement', expiresAtMs }],
    [
      'a replacement, when the CA’s window is over',
      { renewAtMs: NOW_MS - 2, window: { startMs: NOW_MS - 3, endMs: NOW_MS - 1 } },
      { kind: 'replacement', expiresAtMs },
    ],
    ['re-enrolment after its end', { renewAtMs: NOW_MS - 60, notAfterMs: NOW_MS }, { kind: 're-enrolment' }],
  ] as const)('%s', (_what, latest, purpose) => {
    const latestCertificate = latest && certificate({ ...latest, keyHash: 'key-0' });
    const decision = decideRequest({ ...nothingKnown, latestCertificate }, request);
    expect(decision).toMatchObject({ kind: 'accepted', order: { purpose } });
  });
});

describe('a repeated request', () => {
  const seen = { ...nothingKnown, keyFirstSeenFrom: 'appliance-1' };

  test('meets its running order, whatever that does at the moment', () => {
    for (const state of [waiting, { ...waiting, kind: 'ordering' } as const]) {
      const order = openOrder(state);
      expect(decideRequest({ ...seen, openOrder: order }, request)).toEqual({ kind: 'running', order });
    }
  });

  test('gets its certificate also while the order still takes its challenge records down', () => {
    const aftermath = { kind: 'issued', fingerprint: 'f' } as const;
    const order = openOrder({ kind: 'clearing', challenges: [], aftermath, notBeforeMs: NOW_MS, tries: 0 });
    const facts = { ...seen, openOrder: order, latestCertificate: certificate() };
    expect(decideRequest(facts, request)).toEqual({ kind: 'issued', certificate: certificate() });
  });

  test('is the same in whatever order it lists its names', () => {
    const order = openOrder(waiting);
    const reordered = { ...request, names: request.names.toReversed() };
    expect(decideRequest({ ...seen, openOrder: order }, reordered).kind).toBe('running');
  });

  test('gets its certificate while that is not due for renewal', () => {
    const facts = { ...seen, latestCertificate: certificate() };
    expect(decideRequest(facts, request)).toEqual({ kind: 'issued', certificate: certificate() });
  });

  test('is asked for a new key once its certificate is due for renewal', () => {
    const facts = { ...seen, latestCertificate: certificate({ renewAtMs: NOW_MS }) };
    expect(decideRequest(facts, request)).toEqual({ kind: 'key-reused' });
  });

  test('for other names is another request, and needs another key', () => {
    for (const names of [['a.devices.example.com'], ['a.devices.example.com', '*.b.devices.example.com']]) {
      const facts = { ...seen, openOrder: openOrder(waiting), latestCertificate: certificate() };
      expect(decideRequest(facts, { ...request, names })).toEqual({ kind: 'key-reused' });
    }
  });
});

describe('a request with a new key', () => {
  test('opens an order beside an earlier certificate, due or not', () => {
    for (const renewAtMs of [NOW_MS - 1, NOW_MS + 60]) {
      const facts = { ...nothingKnown, latestCertificate: certificate({ keyHash: 'key-0', renewAtMs }) };
      expect(decideRequest(facts, request)).toMatchObject({ kind: 'accepted', order: { id: 'order-new' } });
    }
  });

  test('takes the place of the former in an order that has not gone out, and keeps its pause', () => {
    const lastFailure = { code: 'authority-refused', message: 'no', atMs: NOW_MS } as const;
    const paused: OrderState = { kind: 'waiting', notBeforeMs: NOW_MS + 1_000, tries: 0 };
    const order = openOrder(paused, { keyHash: 'key-0', csr: Uint8Array.of(9), failures: 3, lastFailure });
    expect(decideRequest({ ...nothingKnown, openOrder: order }, request)).toEqual({
      kind: 'accepted',
      order: { ...order, keyHash: 'key-1', csr: request.csr, requestedAtMs: NOW_MS },
    });
  });

  test('has to wait for an order that is at the CA', () => {
    const order = openOrder({ kind: 'ordering', notBeforeMs: NOW_MS, tries: 0 }, { keyHash: 'key-0' });
    expect(decideRequest({ ...nothingKnown, openOrder: order }, request)).toEqual({ kind: 'busy', order });
  });
});
