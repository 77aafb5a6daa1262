/** Rows of orders and certificates, read back into what the domain knows: nothing is believed because it is ours. */
import { z } from 'zod';
import { ERRORS, LanyardError, type ErrorCode } from '@lanyard/sdk/kernel';
import type { Placement } from '../certificates/budget/placement.ts';
import type { Detours, Order, OrderFailure, OrderPurpose, OrderState, OrderStateKind } from '../certificates/order.ts';
import { REVOCATION_REASONS } from '../certificates/stored-certificate.ts';
import type { StoredCertificate } from '../certificates/stored-certificate.ts';
import { BUCKET } from './bucket-row.ts';

/** @throws LanyardError `store-failed` when the row does not hold an order. */
export function orderFrom(row: unknown): Order {
  return reading('order', () => {
    const found = ORDER_ROW.parse(row);
    return {
      id: found.id,
      deviceId: found.device_id,
      names: namesFrom(found.names),
      keyHash: found.key_hash,
      csr: found.csr,
      requestedAtMs: found.requested_at_ms,
      failures: found.failures,
      ...(found.purpose === null ? {} : { purpose: PURPOSE.parse(JSON.parse(found.purpose)) }),
      ...(found.asleep_since_ms === null ? {} : { asleepSinceMs: found.asleep_since_ms }),
      ...(found.placement === null ? {} : { placement: PLACEMENT.parse(JSON.parse(found.placement)) }),
      ...(found.last_failure === null ? {} : { lastFailure: failureFrom(found.last_failure) }),
      ...(found.detours === null ? {} : { detours: DETOURS.parse(JSON.parse(found.detours)) }),
      state: stateFrom(found.state),
    };
  });
}

/** @throws LanyardError `store-failed` when the row does not hold a certificate. */
export function certificateFrom(row: unknown): StoredCertificate {
  return reading('certificate', () => {
    const found = CERTIFICATE_ROW.parse(row);
    return {
      deviceId: found.device_id,
      orderId: found.order_id,
      names: namesFrom(found.names),
      fingerprint: found.fingerprint,
      keyHash: found.key_hash,
      serial: found.serial,
      notBeforeMs: found.not_before_ms,
      notAfterMs: found.not_after_ms,
      issuedAtMs: found.issued_at_ms,
      authority: found.authority,
      ...(found.renewal_id === null ? {} : { renewalId: found.renewal_id }),
      ...windowFrom(found.window_start_ms, found.window_end_ms),
      ...(found.explanation_url === null ? {} : { explanationUrl: found.explanation_url }),
      ...(found.revocation === null ? {} : { revocation: REVOCATION.parse(JSON.parse(found.revocation)) }),
      renewAtMs: found.renew_at_ms,
      ...(found.look_up_at_ms === null ? {} : { lookUpAtMs: found.look_up_at_ms }),
      ...(found.unattended_at_ms === null ? {} : { unattendedAtMs: found.unattended_at_ms }),
      ...(found.asleep_since_ms === null ? {} : { asleepSinceMs: found.asleep_since_ms }),
      ...(found.installed_at_ms === null ? {} : { installedAtMs: found.installed_at_ms }),
    };
  });
}

function reading<Row>(what: string, read: () => Row): Row {
  try {
    return read();
  } catch (cause) {
    throw new LanyardError('store-failed', { message: `a stored ${what} is unreadable`, cause });
  }
}

const ORDER_ROW = z.object({
  id: z.string(),
  device_id: z.string(),
  names: z.string(),
  key_hash: z.string(),
  csr: z.instanceof(Uint8Array),
  requested_at_ms: z.number(),
  failures: z.number(),
  purpose: z.string().nullable(),
  asleep_since_ms: z.number().nullable(),
  placement: z.string().nullable(),
  last_failure: z.string().nullable(),
  detours: z.string().nullable(),
  state: z.string(),
});

const REVOCATION = z.object({ reason: z.enum(REVOCATION_REASONS), atMs: z.number() });

const CERTIFICATE_ROW = z.object({
  device_id: z.string(),
  order_id: z.string(),
  names: z.string(),
  fingerprint: z.string(),
  key_hash: z.string(),
  serial: z.string(),
  not_before_ms: z.number(),
  not_after_ms: z.number(),
  issued_at_ms: z.number(),
  authority: z.string(),
  renewal_id: z.string().nullable(),
  window_start_ms: z.number().nullable(),
  window_end_ms: z.number().nullable(),
  explanation_url: z.string().nullable(),
  revocation: z.string().nullable(),
  renew_at_ms: z.number(),
  look_up_at_ms: z.number().nullable(),
  unattended_at_ms: z.number().nullable(),
  asleep_since_ms: z.number().nullable(),
  installed_at_ms: z.number().nullable(),
});

function windowFrom(startMs: number | null, endMs: number | null): Pick<StoredCertificate, 'window'> {
  return startMs === null || endMs === null ? {} : { window: { startMs, endMs } };
}

function namesFrom(json: string): readonly string[] {
  return NAMES.parse(JSON.parse(json));
}

const NAMES = z.array(z.string());

const PURPOSE: z.ZodType<OrderPurpose> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('first') }),
  z.object({ kind: z.enum(['renewal', 'replacement']), expiresAtMs: z.number() }),
  z.object({ kind: z.literal('re-enrolment') }),
]);

const DETOURS: z.ZodType<Detours> = z.object({
  avoids: z.array(z.object({ authority: z.string(), untilMs: z.number() })).exactOptional(),
  rehearsal: z.enum(['due', 'passed']).exactOptional(),
});

const PLACEMENT: z.ZodType<Placement> = z.object({
  authority: z.string(),
  kind: z.enum(['replacement', 'renewal', 'new']),
  isRehearsal: z.literal(true).exactOptional(),
  replaces: z.string().exactOptional(),
  holds: BUCKET.exactOptional(),
});

function failureFrom(json: string): OrderFailure {
  const { code, message, atMs } = FAILURE.parse(JSON.parse(json));
  // A code of another version only informs people: it must not make the order unreadable.
  return { code: isErrorCode(code) ? code : 'internal', message, atMs };
}

const FAILURE = z.object({ code: z.string(), message: z.string(), atMs: z.number() });

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function stateFrom(json: string): OrderState {
  const state: unknown = JSON.parse(json);
  const { kind } = KIND.parse(state);
  return STATES[kind].parse(state);
}

const pace = { notBeforeMs: z.number(), tries: z.number() };
const challenges = z.array(
  z.object({
    // Versions before 0.2 knew no other kind, and did not say so.
    kind: z.enum(['txt', 'http']).default('txt'),
    name: z.string(),
    value: z.string(),
    authorizationUrl: z.string(),
    challengeUrl: z.string(),
  }),
);
const atCa = { ...pace, orderUrl: z.string(), challenges };
const issued = z.object({ kind: z.literal('issued'), fingerprint: z.string() });
const aftermath = z.discriminatedUnion('kind', [
  issued,
  z.object({ kind: z.literal('again'), notBeforeMs: z.number() }),
]);

/** One reader for each state: a state without one does not compile. */
const STATES: { readonly [Kind in OrderStateKind]: z.ZodType<Extract<OrderState, { kind: Kind }>> } = {
  waiting: z.object({ kind: z.literal('waiting'), isPlain: z.boolean().exactOptional(), ...pace }),
  ordering: z.object({ kind: z.literal('ordering'), ...pace }),
  authorizing: z.object({ kind: z.literal('authorizing'), ...atCa }),
  publishing: z.object({ kind: z.literal('publishing'), ...atCa }),
  triggering: z.object({ kind: z.literal('triggering'), ...atCa }),
  proving: z.object({ kind: z.literal('proving'), ...atCa }),
  finalizing: z.object({ kind: z.literal('finalizing'), finalizeUrl: z.string(), ...atCa }),
  collecting: z.object({ kind: z.literal('collecting'), ...atCa }),
  clearing: z.object({ kind: z.literal('clearing'), challenges, aftermath, ...pace }),
  issued,
};

const KIND = z.object({
  kind: z.custom<OrderStateKind>((kind) => typeof kind === 'string' && Object.hasOwn(STATES, kind)),
});
