/** Counts the connections that are not accepted yet, so that strangers cannot use up memory or the processor. */
import type { Clock } from '@lanyard/sdk/kernel';
import { sourceKey } from './source-address.ts';

export interface WaitingLimits {
  readonly maxWaiting: number;
  readonly maxWaitingPerAddress: number;
}

export interface Place {
  /** Counts for its real source from now on; false when that has too many already. */
  moveTo(sourceAddress: string): boolean;
  /** Harmless when it was left before. */
  leave(): void;
}

interface Guest {
  readonly sinceMs: number;
  readonly sendAway: () => void;
  source?: string;
}

/**
 * Who has waited this long gives way when the room is full: an honest handshake takes less. Before that the newcomer
 * is turned away, because in a storm of reconnects the work already done must not be thrown away.
 */
const UNDISTURBED_MS = 2000;

export class WaitingRoom {
  readonly #limits: WaitingLimits;
  readonly #clock: Clock;
  /** In the order of their arrival. */
  readonly #guests = new Set<Guest>();
  readonly #perSource = new Map<string, number>();

  constructor({ limits, clock }: { readonly limits: WaitingLimits; readonly clock: Clock }) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#guests.size;
  }

  /** A place that counts for no source until `moveTo`; undefined when the room is full. */
  enter(sendAway: () => void): Place | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (this.#guests.size >= this.#limits.maxWaiting && !this.#makeRoom(nowMs)) return undefined;
    const guest: Guest = { sinceMs: nowMs, sendAway };
    this.#guests.add(guest);
    return { moveTo: (sourceAddress) => this.#move(guest, sourceKey(sourceAddress)), leave: () => this.#leave(guest) };
  }

  #makeRoom(nowMs: number): boolean {
    const [oldest] = this.#guests;
    if (oldest === undefined || nowMs - oldest.sinceMs < UNDISTURBED_MS) return false;
    this.#leave(oldest);
    oldest.sendAway();
    return true;
  }

  #move(guest: Guest, source: string): boolean {
    const count = this.#perSource.get(source) ?? 0;
    const isFree = this.#guests.has(guest) && guest.source === undefined;
    if (!isFree || count >= this.#limits.maxWaitingPerAddress) return false;
    guest.source = source;
    this.#perSource.set(source, count + 1);
    return true;
  }

  #leave(guest: Guest): void {
    if (!this.#guests.delete(guest) || guest.source === undefined) return;
    const count = (this.#perSource.get(guest.source) ?? 1) - 1;
    if (count > 0) this.#perSource.set(guest.source, count);
    else this.#perSource.delete(guest.source);
  }
}
