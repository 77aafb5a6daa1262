import { expect, test } from 'vitest';
import type { AuthorizationStatus } from './authorizations.ts';
import { orderStatus, type Order, type OrderStatus } from './orders.ts';

const OPEN: Order = {
  id: '1',
  wish: '1 classic a.test',
  accountId: '1',
  profileName: 'classic',
  names: ['a.test'],
  authorizationIds: ['1', '2'],
  expiresAtMs: 1000,
  isReplacing: false,
  isBegun: false,
};
const BEGUN: Order = { ...OPEN, isBegun: true };
const ISSUED: Order = { ...BEGUN, certificateSerial: '2c' };
const FAILED: Order = { ...BEGUN, problem: { type: 'urn:x', detail: 'no' } };

const TABLE: readonly (readonly [Order, readonly AuthorizationStatus[], number, OrderStatus])[] = [
  [OPEN, ['pending', 'pending'], 0, 'pending'],
  [OPEN, ['valid', 'pending'], 0, 'pending'],
  [OPEN, ['valid', 'valid'], 0, 'ready'],
  [OPEN, ['invalid', 'pending'], 0, 'invalid'],
  [OPEN, ['deactivated', 'valid'], 0, 'invalid'],
  [OPEN, ['expired', 'valid'], 0, 'invalid'],
  [OPEN, ['valid', 'valid'], 1000, 'invalid'],
  [BEGUN, ['valid', 'valid'], 0, 'processing'],
  [BEGUN, ['valid', 'valid'], 1000, 'invalid'],
  [ISSUED, ['valid', 'valid'], 0, 'valid'],
  [ISSUED, ['deactivated', 'expired'], 2000, 'valid'],
  [FAILED, ['valid', 'valid'], 0, 'invalid'],
];

test.each(TABLE)('an order %j with %j at %i ms is %s', (order, authorizations, nowMs, expected) => {
  expect(orderStatus(order, authorizations, nowMs)).toBe(expected);
});
