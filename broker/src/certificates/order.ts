/**
 * One certificate's way through the CA, as a pure machine. A state is the act that is about to be done and may have
 * been done already: after a crash the act is simply done again. So it is stored before the act, unless the CA's own
 * view of the order leads back to it (`isReadBack`).
 *
 *   waiting ─placed▶ ordering ─▶ authorizing ─▶ publishing ─▶ triggering ─▶ proving ─▶ finalizing ─▶ collecting
 *      ▲   ▲            │             │  (nothing to prove)───────────────────────────────▶ ▲            │
 *      │  └──failed──┘             └───────────┬──────────────┴─────────────┴────────────┴────failed──┤ issued
 *      │                                       ▼                                                      ▼
 *      └──────────────────────────────── clearing (then try again)                         clearing (then done)
 *                                                                                                     ▼
 * A passing failure (CA away, asked to wait) repeats the same act later; any other one clears      issued
 * the challenge records first and then begins a new order after a longer pause, or at once when another CA can be asked.
 * A CA that is away for long is left on the same way.
 */
import type { ErrorCode } from '@lanyard/sdk/kernel';
import type { Authorization, AuthorityOrder } from './authority.ts';
import type { Placement } from './budget/placement.ts';
import type { LimitName } from './budget/rate-limit.ts';
import type { ChallengeRecord } from './challenge-board.ts';

export interface Order {
  readonly id: string;
  readonly deviceId: string;
  /** Exactly the names bound to the appliance when the request was accepted. */
  readonly names: readonly string[];
  /** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
  /** DER of the signing request, kept for finalize and for renewals of sleeping appliances. */
  readonly csr: Uint8Array;
  readonly requestedAtMs: number;
  /** How many orders at the CA have failed for this request. */
  readonly failures: number;
  /** What it is for; absent in orders of versions before 0.2. */
  readonly purpose?: OrderPurpose;
  /** Of a stand-in renewal: since when the appliance has been missed; absent: it asked by itself. */
  readonly asleepSinceMs?: number;
  /** How it was placed at the CA; from `ordering` until it begins anew or ends. */
  readonly placement?: Placement;
  /** What went wrong last, for people; absent after nothing went wrong. */
  readonly lastFailure?: OrderFailure;
  /** Where it goes because of what went wrong. */
  readonly detours?: Detours;
  readonly state: OrderState;
}

export interface Detours {
  /** CAs that are not asked for this order again so soon, as long as there is another. */
  readonly avoids?: readonly Avoided[];
  /** Where there is a CA to rehearse at: whether the order has to, after it could not be verified, or has done so. */
  readonly rehearsal?: 'due' | 'passed';
}

export interface Avoided {
  readonly authority: string;
  readonly untilMs: number;
}

/** `expiresAtMs`: of the certificate that the appliance has now. */
export type OrderPurpose =
  | { readonly kind: 'first' }
  | { readonly kind: 'renewal'; readonly expiresAtMs: number }
  /** The CA wants it replaced, or its key is lost: it works, but not for long. */
  | { readonly kind: 'replacement'; readonly expiresAtMs: number }
  /** The former certificate has expired: an appliance that slept, and has waited already. */
  | { readonly kind: 're-enrolment' };

export interface OrderFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly atMs: number;
}

/** A record to be put up, and the challenge that is triggered when it is served. */
export interface OrderChallenge extends ChallengeRecord {
  readonly authorizationUrl: string;
  readonly challengeUrl: string;
}

/** `notBeforeMs` and `tries` belong to the act: when it is due and how often it has failed in passing. */
export interface Pace {
  readonly notBeforeMs: number;
  readonly tries: number;
}

export interface AtCa extends Pace {
  readonly orderUrl: string;
  /** Every record that may be up; cleared at the end whatever happened. */
  readonly challenges: readonly OrderChallenge[];
}

export type OrderState =
  /** For its turn and the budget; `isPlain`: the CA does not take it as a replacement. */
  | ({ readonly kind: 'waiting'; readonly isPlain?: boolean } & Pace)
  | ({ readonly kind: 'ordering' } & Pace)
  | ({ readonly kind: 'authorizing' } & AtCa)
  | ({ readonly kind: 'publishing' } & AtCa)
  | ({ readonly kind: 'triggering' } & AtCa)
  | ({ readonly kind: 'proving' } & AtCa)
  | ({ readonly kind: 'finalizing'; readonly finalizeUrl: string } & AtCa)
  | ({ readonly kind: 'collecting' } & AtCa)
  | ({
      readonly kind: 'clearing';
      readonly challenges: readonly OrderChallenge[];
      readonly aftermath: Aftermath;
    } & Pace)
  | { readonly kind: 'issued'; readonly fingerprint: string };

/** What follows once the records are gone. */
export type Aftermath =
  | { readonly kind: 'issued'; readonly fingerprint: string }
  | { readonly kind: 'again'; readonly notBeforeMs: number };

export type OrderEvent =
  /** The budget has room, and it is spent. */
  | { readonly kind: 'placed'; readonly placement: Placement }
  | { readonly kind: 'ordered'; readonly order: AuthorityOrder }
  /** How the order and those of its authorizations that are not yet proven stand at the CA. */
  | {
      readonly kind: 'order-read';
      readonly order: AuthorityOrder;
      readonly authorizations: readonly Authorization[];
    }
  | { readonly kind: 'published' }
  | { readonly kind: 'triggered' }
  | { readonly kind: 'finalized'; readonly order: AuthorityOrder }
  /** The CA has not made up its mind yet. */
  | { readonly kind: 'pending'; readonly retryAfterMs: number | undefined }
  /** The certificate is here and fits the request. */
  | { readonly kind: 'collected'; readonly fingerprint: string }
  | { readonly kind: 'cleared' }
  /** The CA is away, and the order is begun anew at another. */
  | { readonly kind: 'left'; readonly message: string }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterMs: number | undefined;
      /** With `authority-rate-limited`: which limit; `busy` when the CA is asked too fast, by whomever. */
      readonly limit?: LimitName | 'unnamed' | 'busy' | undefined;
      /** Another CA may be asked in the place of one that refuses. */
      readonly hasOther?: boolean;
    };

export type OrderEventKind = OrderEvent['kind'];
export type OrderStateKind = OrderState['kind'];

export function isClosed(order: Order): boolean {
  return order.state.kind === 'issued';
}

/** A crash may lose these: from `publishing`, the last that was stored, the order as the CA shows it leads back here. */
const READ_BACK: ReadonlySet<OrderStateKind> = new Set(['triggering', 'proving', 'finalizing', 'collecting']);

export function isReadBack({ state }: Order): boolean {
  return READ_BACK.has(state.kind);
}

/** The certificate is stored, and only the challenge records are still to go: our own affair, for which nobody waits. */
export function isFulfilled({ state }: Order): boolean {
  return state.kind === 'issued' || (state.kind === 'clearing' && state.aftermath.kind === 'issued');
}

/** Every challenge record that may be up for the order. */
export function challengesOf(order: Order): readonly OrderChallenge[] {
  return 'challenges' in order.state ? order.state.challenges : [];
}
