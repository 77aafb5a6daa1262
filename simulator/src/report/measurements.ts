/** Measures a run while it goes on: told everything that happens, remembers what fits into a few megabytes. */
import { Distribution } from './distribution.ts';
import type { Spread } from './distribution.ts';
import type { BucketLevel, Fact } from './fact.ts';
import { MARK, Roster } from './roster.ts';
import type { Parcel } from './combine.ts';
import type { Counts, Heads, Series, Snapshot } from './snapshot.ts';
import { Tally } from './tally.ts';
import { Timeline } from './timeline.ts';
import type { Gauge } from './timeline.ts';

export interface MeasurementPlan {
  readonly startMs: number;
  /** How long the run is going to be; intervals are found by doubling when nobody knows. */
  readonly lengthMs?: number;
  readonly appliances: number;
}

const YEAR_MS = 365 * 86_400_000;
/** An appliance seen for less counts as if it went on like this for so long: first boots write more than later ones. */
const LEAST_SEEN_MS = 86_400_000;
/** Lines that a chart can carry. */
const MOST_EVENTS = 60;
/** A CA has about seven limits; some are by name, of which a fleet has as many as it likes. */
const MOST_BUCKETS = 12;

export class Measurements {
  readonly #startMs: number;
  readonly #timeline: Timeline;
  readonly #roster: Roster;
  readonly #heads;
  readonly #flows;
  readonly #buckets = new Map<string, { readonly gauge: Gauge; burst: number }>();
  readonly #firsts = new Distribution();
  readonly #renewals = new Distribution();
  readonly #margins = new Distribution();
  readonly #publishings = new Distribution();
  readonly #problems = new Tally();
  readonly #refusals = new Tally();
  readonly #said = new Tally();
  readonly #told = new Tally();
  readonly #deeds = new Tally();
  readonly #orders = new Tally();
  readonly #certifiers = new Tally();
  readonly #limits = new Tally();
  readonly #excuses = new Tally();
  readonly #events: Snapshot['events'][number][] = [];
  #happenings = 0;
  #standIns = 0;
  #onceCertified = 0;
  #expiries = 0;
  #unexcused = 0;

  constructor({ startMs, lengthMs, appliances }: MeasurementPlan) {
    this.#startMs = startMs;
    this.#roster = new Roster(appliances);
    const timeline = new Timeline(startMs, lengthMs);
    this.#timeline = timeline;
    this.#heads = {
      live: timeline.gauge(),
      connected: timeline.gauge(),
      certified: timeline.gauge(),
      expired: timeline.gauge(),
    };
    this.#flows = {
      hellos: timeline.flow(),
      orders: timeline.flow(),
      certificates: timeline.flow(),
      limited: timeline.flow(),
    };
  }

  /** Called for everything that happens, twenty million times in a large run. */
  note(fact: Fact): void {
    this.#happenings += 1;
    this.#timeline.moveTo(fact.atMs);
    switch (fact.kind) {
      case 'flash-written':
        return this.#roster.wrote(fact.appliance, fact.bytes, fact.atMs);
      case 'said':
        this.#said.add(fact.what);
        if (fact.what === 'hello') this.#flows.hellos.add(1);
        return;
      case 'told':
        this.#told.add(fact.what);
        if (fact.what === 'problem') this.#refusals.add(fact.about);
        return;
      case 'connected':
        return this.#count(this.#heads.connected, fact.appliance, MARK.connected, true);
      case 'disconnected':
        return this.#count(this.#heads.connected, fact.appliance, MARK.connected, false);
      case 'powered':
        return this.#power(fact.appliance, fact.isOn, fact.atMs);
      case 'installed':
        return this.#install(fact);
      case 'expired':
        return this.#expire(fact.appliance, fact.excuse);
      case 'published':
        return this.#publishings.record(fact.waitedMs);
      case 'problem':
        return this.#problems.add(fact.code);
      case 'authority':
        return this.#judge(fact);
      case 'event':
        return this.#tell(fact);
      case 'order-opened':
        if (fact.isStandIn === true) this.#standIns += 1;
        return;
      case 'order-closed':
      case 'moved':
      case 'broker':
        return;
    }
  }

  /** What the CA's token buckets hold now; to be called some hundred times in a run, not for every order. */
  sample(atMs: number, levels: readonly BucketLevel[]): void {
    this.#timeline.moveTo(atMs);
    for (const { name, left, burst } of levels) {
      const known = this.#buckets.get(name);
      if (known === undefined) {
        if (this.#buckets.size >= MOST_BUCKETS) continue;
        const gauge = this.#timeline.gauge(burst);
        gauge.set(left);
        this.#buckets.set(name, { gauge, burst });
      } else {
        known.burst = burst;
        known.gauge.set(left);
      }
    }
  }

  /** Time passed in which nothing happened: without this a run that ends quietly looks shorter than it was. */
  passTo(atMs: number): void {
    this.#timeline.moveTo(atMs);
  }

  get heads(): Heads {
    const { live, connected, certified, expired } = this.#heads;
    return {
      live: live.now,
      connected: connected.now,
      certified: certified.now,
      expired: expired.now,
      onceCertified: this.#onceCertified,
    };
  }

  /** A copy of everything but what `flashBytesPerYear` says; costs some hundred microseconds. */
  snapshot(): Snapshot {
    return {
      simulatedMs: this.#timeline.elapsedMs,
      happenings: this.#happenings,
      heads: this.heads,
      timeToCertificateMs: this.#firsts.spread(),
      timeToRenewalMs: this.#renewals.spread(),
      expiryMarginMs: this.#margins.spread(),
      publishLatencyMs: this.#publishings.spread(),
      expiries: { total: this.#expiries, unexcused: this.#unexcused, byExcuse: this.#excuses.counts() },
      problems: this.#problems.counts(),
      refusals: this.#refusals.counts(),
      messages: { ...prefixed('said-', this.#said.counts()), ...prefixed('told-', this.#told.counts()) },
      authority: this.#deeds.counts(),
      orders: this.#orders.counts(),
      certificates: { byCa: this.#certifiers.counts() },
      standIns: this.#standIns,
      limits: this.#limits.counts(),
      series: this.#series(),
      events: [...this.#events],
    };
  }

  /** Of each appliance, at the pace that was seen. Asks every one of them: for the end of a run. */
  flashBytesPerYear(): Spread {
    return this.#flash().spread();
  }

  /** What one part of a fleet measured, for `combine`. */
  parcel(): Parcel {
    return {
      snapshot: this.snapshot(),
      distributions: {
        timeToCertificateMs: this.#firsts.state(),
        timeToRenewalMs: this.#renewals.state(),
        expiryMarginMs: this.#margins.state(),
        publishLatencyMs: this.#publishings.state(),
      },
      flashBytesPerYear: this.#flash().state(),
    };
  }

  #flash(): Distribution {
    const nowMs = this.#startMs + this.#timeline.elapsedMs;
    const yearly = new Distribution();
    for (const { writtenBytes, bornMs } of this.#roster.writers()) {
      yearly.record((writtenBytes * YEAR_MS) / Math.max(LEAST_SEEN_MS, nowMs - bornMs));
    }
    return yearly;
  }

  #count(gauge: Gauge, appliance: number, mark: (typeof MARK)[keyof typeof MARK], isSo: boolean): void {
    const change = this.#roster.mark(appliance, mark, isSo);
    if (change !== 0) gauge.set(gauge.now + change);
  }

  #power(appliance: number, isOn: boolean, atMs: number): void {
    this.#roster.appears(appliance, atMs);
    this.#count(this.#heads.live, appliance, MARK.on, isOn);
    // Its line is dead, whether or not the broker has noticed.
    if (!isOn) this.#count(this.#heads.connected, appliance, MARK.connected, false);
  }

  #install(fact: Extract<Fact, { kind: 'installed' }>): void {
    const { appliance, isFirst, waitedMs, marginMs } = fact;
    (isFirst ? this.#firsts : this.#renewals).record(waitedMs);
    if (marginMs !== undefined) this.#margins.record(marginMs);
    this.#count(this.#heads.certified, appliance, MARK.certified, true);
    this.#count(this.#heads.expired, appliance, MARK.expired, false);
    this.#onceCertified += this.#roster.mark(appliance, MARK.onceCertified, true);
  }

  #expire(appliance: number, excuse: string | undefined): void {
    this.#expiries += 1;
    if (excuse === undefined) this.#unexcused += 1;
    else this.#excuses.add(excuse);
    this.#count(this.#heads.certified, appliance, MARK.certified, false);
    this.#count(this.#heads.expired, appliance, MARK.expired, true);
  }

  #judge({ what: deed, about, ca = 0 }: Extract<Fact, { kind: 'authority' }>): void {
    this.#deeds.add(deed);
    if (deed === 'ordered') {
      this.#flows.orders.add(1);
      this.#orders.add(about);
    } else if (deed === 'certified') {
      this.#flows.certificates.add(1);
      this.#certifiers.add(String(ca));
    } else if (deed === 'limited') {
      this.#flows.limited.add(1);
      this.#limits.add(about);
    }
  }

  #tell({ atMs, what, phase, ca }: Extract<Fact, { kind: 'event' }>): void {
    if (this.#events.length >= MOST_EVENTS) return;
    const named = ca === undefined ? what : `${what}, CA ${ca}`;
    this.#events.push({ atMs: atMs - this.#startMs, what: named, phase });
  }

  #series(): Series {
    const { live, connected, certified, expired } = this.#heads;
    const { hellos, orders, certificates, limited } = this.#flows;
    const buckets = [...this.#buckets].map(([name, { gauge, burst }]) => [name, { burst, left: gauge.lows }] as const);
    return {
      intervalMs: this.#timeline.widthMs,
      live: live.lasts,
      connected: connected.lasts,
      connectedLow: connected.lows,
      certified: certified.lasts,
      expired: expired.highs,
      hellos: hellos.perInterval,
      orders: orders.perInterval,
      certificates: certificates.perInterval,
      limited: limited.perInterval,
      buckets: Object.fromEntries(buckets),
    };
  }
}

function prefixed(prefix: string, counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [prefix + name, count]));
}
