/** An order in every state. Only for tests. */
import type { ErrorCode } from '@lanyard/sdk/kernel';
import type { Order, OrderChallenge, OrderEvent, OrderState, OrderStateKind } from './order.ts';

export const NOW_MS = 1_700_000_000_000;
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

const atAuthorization = { authorizationUrl: 'https://ca/authz/1', challengeUrl: 'https://ca/chall/1' };
export const challenges: readonly OrderChallenge[] = [
  { kind: 'txt', name: '_acme-challenge.a', value: 'v', ...atAuthorization },
];
const pace = { notBeforeMs: NOW_MS - 1, tries: 2 };
const atCa = { orderUrl: 'https://ca/order/1', challenges, ...pace };
export const STATES: { readonly [Kind in OrderStateKind]: Extract<OrderState, { kind: Kind }> } = {
  waiting: { kind: 'waiting', ...pace },
  ordering: { kind: 'ordering', ...pace },
  authorizing: { kind: 'authorizing', ...atCa, challenges: [] },
  publishing: { kind: 'publishing', ...atCa },
  triggering: { kind: 'triggering', ...atCa },
  proving: { kind: 'proving', ...atCa },
  finalizing: { kind: 'finalizing', finalizeUrl: 'https://ca/finalize/1', ...atCa },
  collecting: { kind: 'collecting', ...atCa },
  clearing: { kind: 'clearing', challenges, aftermath: { kind: 'issued', fingerprint: 'f' }, ...pace },
  issued: { kind: 'issued', fingerprint: 'f' },
};

export function failed(code: ErrorCode, retryAfterMs?: number): Extract<OrderEvent, { kind: 'failed' }> {
  return { kind: 'failed', code, message: 'it went wrong', retryAfterMs };
}

export function orderIn(state: OrderState, failures = 0): Order {
  const names = ['a.devices.example.com'];
  return { id: 'o', deviceId: 'd', names, keyHash: 'k', csr: Uint8Array.of(1), requestedAtMs: 0, failures, state };
}
