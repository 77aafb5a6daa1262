/** What the store says to its thread, and the other way. Both ends are ours and start from the same build. */
import { describeError, LanyardError, type ErrorCode } from '@lanyard/sdk/kernel';
import type { OperationName } from './operations.ts';

export type ToThread =
  | { readonly kind: 'open'; readonly path: string }
  | ({ readonly kind: 'call' } & StoreCall)
  /** Everything asked before is still answered; then the thread ends. */
  | { readonly kind: 'close' };

export interface StoreCall {
  readonly id: number;
  readonly operation: OperationName;
  readonly given: readonly unknown[];
}

export type FromThread =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly failure: StoreFailure }
  | { readonly kind: 'answers'; readonly answers: readonly StoreAnswer[] };

export type StoreAnswer =
  | { readonly id: number; readonly kind: 'done'; readonly result: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly failure: StoreFailure };

/** An error in words that survive the crossing. */
export interface StoreFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

export function storeFailure(cause: unknown): StoreFailure {
  return { code: LanyardError.is(cause) ? cause.code : 'store-failed', message: describeError(cause) };
}

export function errorOf({ code, message }: StoreFailure): LanyardError {
  return new LanyardError(code, { message });
}
