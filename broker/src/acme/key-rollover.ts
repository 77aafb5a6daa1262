/**
 * A new key for the account (RFC 8555 §7.3.5), such that no crash and no lost answer loses the account: the new key is
 * stored before the CA hears of it, and neither key is forgotten before the CA has said which one counts.
 */
import { LanyardError } from '@lanyard/sdk/kernel';
import { newAccountKey } from './account.ts';
import type { AccountRecord, AccountStore } from './account.ts';
import type { AccountInquiry, Signer } from './account-inquiry.ts';

export interface KeyRolloverParts {
  readonly store: AccountStore;
  readonly inquiry: AccountInquiry;
}

/**
 * After an interrupted rollover: asks whether the CA knows the new key, and takes it if so. If not, the old one counts
 * still, and the new one is kept all the same: the request may be under way yet.
 */
export async function settleRollover(
  { store, inquiry }: KeyRolloverParts,
  record: AccountRecord,
  signal: AbortSignal,
): Promise<AccountRecord> {
  const { nextKeyPem, ...rest } = record;
  if (nextKeyPem === undefined || (await inquiry.find(nextKeyPem, signal)) === undefined) return record;
  const settled = { ...rest, keyPem: nextKeyPem };
  await store.write(settled);
  return settled;
}

/**
 * Changes the key, or finishes a change that was interrupted, with the key that was made then.
 * @throws LanyardError with which the account is as usable as before; unless it is `authority-refused`, the same call
 * again goes on from there.
 */
export async function rollOver(
  parts: KeyRolloverParts,
  record: AccountRecord & Signer,
  signal: AbortSignal,
): Promise<AccountRecord> {
  const settled = await settleRollover(parts, record, signal);
  if (settled.keyPem !== record.keyPem) return settled;
  const nextKeyPem = record.nextKeyPem ?? (await newAccountKey());
  const pending = { ...record, nextKeyPem };
  await parts.store.write(pending);
  try {
    await parts.inquiry.changeKey(record, nextKeyPem, signal);
  } catch (error) {
    return await afterFailure(parts, pending, error, signal);
  }
  const { directoryUrl, url } = record;
  const changed = { directoryUrl, keyPem: nextKeyPem, url };
  await parts.store.write(changed);
  return changed;
}

/** An answer may be lost although the key was changed: the CA is asked. */
async function afterFailure(
  parts: KeyRolloverParts,
  pending: AccountRecord & { readonly nextKeyPem: string },
  error: unknown,
  signal: AbortSignal,
): Promise<AccountRecord> {
  const settled = await settleRollover(parts, pending, signal).catch(() => undefined);
  if (settled?.keyPem === pending.nextKeyPem) return settled;
  if (settled !== undefined && LanyardError.is(error, 'authority-refused')) {
    const { nextKeyPem: _refused, ...unchanged } = pending;
    await parts.store.write(unchanged);
    throw error;
  }
  const code = LanyardError.is(error) ? error.code : 'internal';
  throw new LanyardError(code, { message: 'the key may not be changed yet; the same command goes on', cause: error });
}
