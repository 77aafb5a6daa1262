/** What the model CA tells of its own doings, at the moment they happen, to whoever draws and judges. */
import type { LimitName } from './rate-limits.ts';
import type { ProblemType } from './problems.ts';

export type AuthorityEvent =
  | {
      readonly kind: 'ordered';
      readonly orderId: string;
      readonly names: readonly string[];
      readonly accountId: string;
      /** The exact set was issued within the last 120 days, to anyone. */
      readonly isRenewal: boolean;
      /** `replaces` inside the window of that certificate: nothing was counted. */
      readonly isReplacing: boolean;
    }
  | {
      readonly kind: 'certified';
      readonly orderId: string;
      readonly names: readonly string[];
      readonly accountId: string;
      readonly keyFingerprint: string;
      readonly serial: string;
      readonly notAfterMs: number;
    }
  | {
      readonly kind: 'validation-failed';
      readonly accountId: string;
      readonly name: string;
      readonly problem: ProblemType;
      readonly detail: string;
    }
  /** 429. */
  | { readonly kind: 'limited'; readonly limit: LimitName; readonly key: string; readonly retryAfterMs: number }
  /** 503 because one address asks too fast. */
  | { readonly kind: 'busy'; readonly endpoint: string; readonly address: string; readonly retryAfterMs: number }
  /** Any refusal, these two included. */
  | { readonly kind: 'refused'; readonly problem: ProblemType; readonly status: number; readonly detail: string }
  /** A fault broke the line, before or after the work was done; `operation` is the folder below /acme/. */
  | { readonly kind: 'cut'; readonly operation: string }
  | { readonly kind: 'revoked'; readonly serial: string; readonly names: readonly string[]; readonly reason: number }
  /** More was let through than a bucket holds. */
  | { readonly kind: 'overdrawn'; readonly limit: LimitName; readonly key: string };

/** What the CA took an order for: it counts `new` ones most and `replacing` ones not at all. */
export function takenFor(order: Extract<AuthorityEvent, { kind: 'ordered' }>): 'new' | 'renewal' | 'replacing' {
  if (order.isReplacing) return 'replacing';
  return order.isRenewal ? 'renewal' : 'new';
}
