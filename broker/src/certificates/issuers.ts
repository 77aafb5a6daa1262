/** The CAs that may issue, in the order in which they take over from one another, and which of them an order goes to. */
import type { Authority } from './authority.ts';
import type { AuthorityTerms } from './budget/rate-limit.ts';
import type { Order } from './order.ts';
import type { CaGate } from './schedule/ca-gate.ts';

/** An account at a CA. */
export interface CaAccount {
  readonly terms: AuthorityTerms;
  readonly authority: Authority;
}

export interface Issuer extends CaAccount {
  /** Whether the CA is there. */
  readonly gate: Pick<CaGate, 'opensAtMs' | 'awaySinceMs' | 'pass' | 'answered' | 'away' | 'busy'>;
}

export interface IssuersParts {
  /** Not empty. The first is asked whenever it can be: orders return to it as soon as it is back. */
  readonly ranked: readonly Issuer[];
  /** Where an order that the CA could not verify shows first that it can be: nothing that it issues is handed out. */
  readonly rehearsal?: Issuer;
  /** How long a CA has to be away until the next takes its place. */
  readonly patienceMs: number;
}

/** Where an order that waits may be placed now. */
export type Choice =
  /** The first whose budget has room. `untilMs`: when one before them may be asked again; `Infinity`: none was left out. */
  | { readonly kind: 'ask'; readonly among: readonly [Issuer, ...Issuer[]]; readonly untilMs: number }
  /** All are away, or have refused this order. */
  | { readonly kind: 'wait'; readonly untilMs: number };

/** Whether an order that is at a CA can go on there. */
export type Prospect =
  | { readonly kind: 'open'; readonly issuer: Issuer }
  | { readonly kind: 'closed'; readonly untilMs: number }
  /** It is begun anew at another CA. */
  | { readonly kind: 'given-up'; readonly message: string };

/** An order that was finalized has become a certificate, or soon will: it is not doubled for an outage of hours. */
const PATIENCE_AFTER_FINALIZE_MS = 86_400_000;

export class Issuers {
  readonly #parts: IssuersParts;
  readonly #byId: ReadonlyMap<string, Issuer>;

  constructor(parts: IssuersParts) {
    this.#parts = parts;
    const all = [...parts.ranked, ...(parts.rehearsal ? [parts.rehearsal] : [])];
    this.#byId = new Map(all.map((issuer) => [issuer.terms.id, issuer]));
  }

  /** In the order in which they take over; without the one for rehearsals. */
  get ranked(): readonly Issuer[] {
    return this.#parts.ranked;
  }

  /** Undefined: the settings name it no more. Before 0.2 there was one CA, and nothing says which: it is the first. */
  byId(authority: string): Issuer | undefined {
    return authority === '' ? this.#parts.ranked[0] : this.#byId.get(authority);
  }

  /** The CA that the order was placed at. */
  of({ placement }: Order): Issuer | undefined {
    return this.byId(placement?.authority ?? '');
  }

  /** Whether another CA may be asked when the order's own has refused it. */
  hasOtherFor(order: Order, nowMs: number): boolean {
    const own = this.of(order);
    return this.#parts.ranked.some((issuer) => issuer !== own && !isAvoided(order, issuer, nowMs));
  }

  choose(order: Order, nowMs: number): Choice {
    const { rehearsal, ranked } = this.#parts;
    // Its outage must not keep the fleet from the CA that counts.
    if (rehearsal && order.detours?.rehearsal === 'due' && !this.#isPassedOver(rehearsal, nowMs)) {
      return this.#among([rehearsal], order, nowMs);
    }
    return this.#among(ranked, order, nowMs);
  }

  /** When an order without a history may be placed somewhere: now, or later. */
  placesAtMs(nowMs: number): number {
    const choice = this.#among(this.#parts.ranked, {}, nowMs);
    return choice.kind === 'ask' ? nowMs : choice.untilMs;
  }

  /** When an order at this CA may go on, there or elsewhere. */
  actsAtMs(authority: string, nowMs: number): number {
    const issuer = this.byId(authority);
    return issuer ? Math.min(issuer.gate.opensAtMs(), this.#passedOverAtMs(issuer)) : nowMs;
  }

  /** Of an order that was placed. */
  prospect(order: Order, nowMs: number): Prospect {
    const issuer = this.of(order);
    if (issuer === undefined) return { kind: 'given-up', message: 'its CA is not in the settings any more' };
    const isLate = order.state.kind === 'finalizing' || order.state.kind === 'collecting';
    const leftAtMs = this.#passedOverAtMs(issuer, isLate ? PATIENCE_AFTER_FINALIZE_MS : 0);
    const opensAtMs = issuer.gate.opensAtMs();
    // One that has tried in vain whether the CA is back leaves the next try to another.
    const hasTried = 'tries' in order.state && order.state.tries > 0;
    const isLeft = leftAtMs <= nowMs && (opensAtMs > nowMs || hasTried);
    if (isLeft) return { kind: 'given-up', message: 'the CA is away, and another takes its place' };
    if (opensAtMs <= nowMs) return { kind: 'open', issuer };
    return { kind: 'closed', untilMs: Math.min(opensAtMs, leftAtMs) };
  }

  #among(ranked: readonly Issuer[], order: Pick<Order, 'detours'>, nowMs: number): Choice {
    const open: Issuer[] = [];
    let untilMs = Infinity;
    for (const issuer of ranked) {
      const avoidedUntilMs = avoidedUntil(order, issuer);
      const opensAtMs = Math.max(issuer.gate.opensAtMs(), avoidedUntilMs);
      if (opensAtMs <= nowMs) {
        open.push(issuer);
        continue;
      }
      untilMs = Math.min(untilMs, opensAtMs);
      // One that is away for a moment, or asked as fast as it allows, is waited for.
      const isSkipped = avoidedUntilMs > nowMs || this.#isPassedOver(issuer, nowMs);
      if (!isSkipped) {
        untilMs = Math.min(untilMs, this.#passedOverAtMs(issuer));
        break;
      }
    }
    const [first, ...others] = open;
    return first ? { kind: 'ask', among: [first, ...others], untilMs } : { kind: 'wait', untilMs };
  }

  #isPassedOver(issuer: Issuer, nowMs: number): boolean {
    return this.#passedOverAtMs(issuer) <= nowMs;
  }

  /** When another takes the place of one that is away; `Infinity` when it is not, or no other is there. */
  #passedOverAtMs(issuer: Issuer, leastMs = 0): number {
    const { ranked, patienceMs } = this.#parts;
    const sinceMs = issuer.gate.awaySinceMs();
    const isOtherThere = ranked.some((other) => other !== issuer && other.gate.awaySinceMs() === undefined);
    return sinceMs === undefined || !isOtherThere ? Infinity : sinceMs + Math.max(patienceMs, leastMs);
  }
}

function isAvoided(order: Order, issuer: Issuer, nowMs: number): boolean {
  return avoidedUntil(order, issuer) > nowMs;
}

function avoidedUntil({ detours }: Pick<Order, 'detours'>, { terms }: Issuer): number {
  return detours?.avoids?.find(({ authority }) => authority === terms.id)?.untilMs ?? 0;
}
