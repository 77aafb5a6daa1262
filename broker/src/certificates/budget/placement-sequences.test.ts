/** That a CA which counts by itself, when requests reach it and when it issues, never has to refuse what was placed. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from '../due-queue.ts';
import type { Order } from '../order.ts';
import type { Bucket, BucketChange } from './bucket.ts';
import { chargesOfIssue, chargesOfLostOrder } from './charges.ts';
import { LATEST_ARRIVAL_MS, decidePlacement } from './decide-placement.ts';
import type { Placement } from './placement.ts';
import type { AuthorityTerms, LimitName, RateLimit } from './rate-limit.ts';
import { changed, freeAtMs, spent } from './token-bucket.ts';

const NOW_MS = 1_700_000_000_000;
const DOMAINS = ['example.com'];

/** An appliance's wish, how long its request takes to the CA, that to issue it, and the news of it to come back. */
interface Wish {
  readonly gapMs: number;
  readonly arrivalMs: number;
  readonly issueMs: number;
  readonly newsMs: number;
  /** The news never comes, and the order is given up. */
  readonly isLost: boolean;
}

/** Ours and the CA's books, by virtual time. */
class Books {
  readonly refusals: string[] = [];
  placed = 0;
  readonly #terms: AuthorityTerms;
  readonly #ours = new Map<string, number | undefined>();
  readonly #theirs = new Map<LimitName, number>();
  readonly #holding = new Set<Order>();
  readonly #later = new DueQueue<() => void>();

  constructor(terms: AuthorityTerms) {
    this.#terms = terms;
  }

  place(wish: Wish, index: number, nowMs: number): void {
    this.runTo(nowMs);
    const state = { kind: 'waiting', notBeforeMs: nowMs, tries: 0 } as const;
    const names = [`${index}.example.com`];
    const csr = Uint8Array.of(1);
    const order: Order = { id: 'o', deviceId: 'd', names, keyHash: 'k', csr, requestedAtMs: nowMs, failures: 0, state };
    const decision = decidePlacement(
      {
        predecessor: undefined,
        fullAtMs: (bucket) => this.#ours.get(key(bucket)),
        holders: () => this.#holding.size,
      },
      { order, terms: this.#terms, registeredDomains: DOMAINS, nowMs, leaving: 0 },
    );
    if (decision.kind === 'short') return;
    this.placed++;
    this.#apply(decision.changes);
    if (decision.placement.holds) this.#holding.add(order);
    this.#follow(order, decision.placement, wish, nowMs);
  }

  runTo(nowMs: number): void {
    for (let then = this.#later.takeDue(nowMs); then; then = this.#later.takeDue(nowMs)) then();
  }

  #follow(order: Order, placement: Placement, { arrivalMs, issueMs, newsMs, isLost }: Wish, nowMs: number): void {
    const arrivesAtMs = nowMs + arrivalMs;
    const issuedAtMs = arrivesAtMs + issueMs;
    const newsAtMs = issuedAtMs + newsMs;
    this.#later.set(() => {
      this.#count('new-orders', arrivesAtMs);
      this.#check('registered-domain', arrivesAtMs);
    }, arrivesAtMs);
    this.#later.set(() => this.#count('registered-domain', issuedAtMs), issuedAtMs);
    this.#later.set(() => {
      this.#holding.delete(order);
      const lost = chargesOfLostOrder(this.#terms, placement, newsAtMs);
      this.#apply(isLost ? lost : chargesOfIssue(this.#terms, placement, order.names, DOMAINS, newsAtMs));
    }, newsAtMs);
  }

  #check(limit: LimitName, atMs: number): void {
    const known = this.#terms.limits[limit];
    if (known && freeAtMs(this.#theirs.get(limit), known, atMs) > atMs) this.refusals.push(limit);
  }

  #count(limit: LimitName, atMs: number): void {
    this.#check(limit, atMs);
    const known = this.#terms.limits[limit];
    if (known) this.#theirs.set(limit, spent(this.#theirs.get(limit), known, atMs));
  }

  #apply(changes: readonly BucketChange[]): void {
    for (const change of changes)
      this.#ours.set(key(change.bucket), changed(this.#ours.get(key(change.bucket)), change));
  }
}

function key({ limit, subject }: Bucket): string {
  return `${limit} ${subject}`;
}

const limit: fc.Arbitrary<RateLimit> = fc.record({
  burst: fc.integer({ min: 1, max: 10 }),
  periodMs: fc.integer({ min: 1_000, max: 3_600_000 }),
});
const wishes: fc.Arbitrary<readonly Wish[]> = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.nat(1_000), fc.nat(300_000)),
    arrivalMs: fc.nat(LATEST_ARRIVAL_MS),
    issueMs: fc.nat(600_000),
    newsMs: fc.nat(600_000),
    isLost: fc.boolean(),
  }),
  { maxLength: 60 },
);

function play(limits: AuthorityTerms['limits'], sequence: readonly Wish[]): Books {
  const books = new Books({ id: 'ca', limits, renewals: 'exempt' });
  let nowMs = NOW_MS;
  for (const [index, wish] of sequence.entries()) {
    nowMs += wish.gapMs;
    books.place(wish, index, nowMs);
  }
  books.runTo(Infinity);
  return books;
}

test('however long requests are under way and certificates take, the CA never has to refuse one', () => {
  fc.assert(
    fc.property(limit, limit, wishes, (newOrders, domain, sequence) => {
      const { refusals } = play({ 'new-orders': newOrders, 'registered-domain': domain }, sequence);
      expect(refusals).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

const atOnce: readonly Wish[] = Array.from({ length: 400 }, () => {
  return { gapMs: 0, arrivalMs: 1, issueMs: 1, newsMs: 1, isLost: false };
});

test('at once, a registered domain is used up to the last', () => {
  expect(play({ 'registered-domain': { burst: 50, periodMs: 7 * 86_400_000 } }, atOnce).placed).toBe(50);
});

test('at once, new orders are used up but for what comes back in the time limit of a call', () => {
  // One in 36 s: the CA may count them all as much as 120 s later, and have the fewer then.
  expect(play({ 'new-orders': { burst: 300, periodMs: 3 * 3_600_000 } }, atOnce).placed).toBe(296);
});
