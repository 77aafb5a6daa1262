/** Watches a world's promises while it runs: every invariant hears what it asked for, and what breaks is kept and told. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import type { Violation, Violations } from '../report/result.ts';
import type { Happening, HappeningKind, Witness } from '../world/happening.ts';
import { INVARIANTS } from './catalogue.ts';
import type { Facts } from './facts.ts';
import type { Breach, Invariant } from './invariant.ts';
import { RecentEvents } from './recent-events.ts';
import { numberInFleet, replayCommand } from './replay.ts';
import type { Replayed } from './replay.ts';

export interface WatchOptions {
  /** When the run began, epoch milliseconds. */
  readonly startMs: number;
  readonly replay: Replayed;
  /** Invariants that the scenario breaks on purpose, each with the reason. */
  readonly tolerated?: readonly { readonly invariant: string; readonly because: string }[];
  /** Told of each violation that is kept, as it happens. */
  readonly onViolation?: (violation: Violation) => void;
}

export interface WatchedViolations extends Violations {
  /** How many of each, tolerated ones included. */
  readonly byInvariant: Readonly<Record<string, number>>;
}

/** Whoever is at one end of a line. */
interface End {
  readonly number: number;
  readonly deviceId: string;
}

/** Kept in all, and of one invariant, so that a flood does not hide what else is broken. */
const MOST_KEPT = 100;
const MOST_KEPT_EACH = 25;
/** From power-on to certificate it is about ten. */
const LINES = 12;

export class Watch {
  readonly #options: WatchOptions;
  readonly #tolerated: ReadonlyMap<string, string>;
  readonly #recent = new RecentEvents();
  readonly #kept: Violation[] = [];
  readonly #counts = new Map<string, number>();
  readonly #byKind = new Map<HappeningKind, Invariant[]>();
  #invariants: readonly Invariant[] = [];
  #facts: Facts | undefined;
  #timekeepers: readonly Invariant[] = [];
  #upListeners: readonly Invariant[] = [];
  #downListeners: readonly Invariant[] = [];

  /** @throws LanyardError `option-invalid` for tolerating what is not watched. */
  constructor(options: WatchOptions) {
    this.#options = options;
    this.#tolerated = new Map(options.tolerated?.map(({ invariant, because }) => [invariant, because]));
    for (const name of this.#tolerated.keys()) {
      if (Object.hasOwn(INVARIANTS, name)) continue;
      const message = `there is no invariant "${name}" to tolerate; there are ${Object.keys(INVARIANTS).join(', ')}`;
      throw new LanyardError('option-invalid', { message });
    }
  }

  /** To be put on the wire; hears nothing before `begin`. */
  readonly tap = {
    up: ({ number: appliance }: End, kind: UpKind, payload: Uint8Array): void => {
      if (this.#facts === undefined) return;
      const sent = { atMs: this.#facts.nowMs(), appliance, kind, payload };
      for (const invariant of this.#upListeners) invariant.onUp?.(sent);
    },
    down: ({ number: appliance, deviceId }: End, addressee: string, message: DownMessage): void => {
      if (this.#facts === undefined) return;
      const delivery = { atMs: this.#facts.nowMs(), appliance, deviceId, addressee, message };
      for (const invariant of this.#downListeners) invariant.onDown?.(delivery);
    },
  };

  /** Once, when the world is laid out. What comes back must be told of everything that happens in it. */
  begin(facts: Facts): Witness {
    this.#facts = facts;
    const invariants = Object.entries(INVARIANTS).map(([name, make]) =>
      make({ facts, violate: (breach) => this.#note(name, breach) }),
    );
    this.#invariants = invariants;
    this.#timekeepers = invariants.filter(({ onTime }) => onTime !== undefined);
    this.#upListeners = invariants.filter(({ onUp }) => onUp !== undefined);
    this.#downListeners = invariants.filter(({ onDown }) => onDown !== undefined);
    for (const invariant of invariants) {
      for (const kind of invariant.kinds ?? []) this.#byKind.set(kind, [...(this.#byKind.get(kind) ?? []), invariant]);
    }
    return (happening) => this.#hear(happening);
  }

  /** While the world still stands; what happens afterwards, such as its own end, breaks no promise. */
  finish(): void {
    if (this.#facts === undefined) return;
    const nowMs = this.#facts.nowMs();
    for (const invariant of this.#timekeepers) invariant.onTime?.(nowMs);
    for (const invariant of this.#invariants) invariant.atEnd?.();
    this.#facts = undefined;
  }

  violations(): WatchedViolations {
    let [total, tolerated] = [0, 0];
    for (const [name, count] of this.#counts) {
      if (this.#tolerated.has(name)) tolerated += count;
      else total += count;
    }
    return { total, tolerated, shown: [...this.#kept], byInvariant: Object.fromEntries(this.#counts) };
  }

  #hear(happening: Happening): void {
    if (this.#facts === undefined) return;
    this.#recent.add(happening);
    for (const invariant of this.#timekeepers) invariant.onTime?.(happening.atMs);
    for (const invariant of this.#byKind.get(happening.kind) ?? []) invariant.onHappening?.(happening);
  }

  #note(invariant: string, { atMs, appliance, what }: Breach): void {
    const count = (this.#counts.get(invariant) ?? 0) + 1;
    this.#counts.set(invariant, count);
    if (count > MOST_KEPT_EACH || this.#kept.length >= MOST_KEPT) return;
    const { startMs, replay, onViolation } = this.#options;
    const because = this.#tolerated.get(invariant);
    const sinceStartMs = atMs - startMs;
    const violation: Violation = {
      invariant,
      atMs: sinceStartMs,
      ...(appliance !== undefined && { appliance: numberInFleet(replay, appliance) }),
      detail: what,
      lastEvents: this.#recent.about(appliance, LINES),
      replay: replayCommand(replay, sinceStartMs),
      ...(because !== undefined && { tolerated: because }),
    };
    this.#kept.push(violation);
    onViolation?.(violation);
  }
}
