/**
 * The broker is killed at random instants, also while it starts, with first certificates and renewals under way. So
 * many deaths against the model CA as `LANYARD_CRASHES` says, and against Pebble a few; `LANYARD_CRASH_SEED` throws the
 * same dice again.
 */
import { sleep, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Random } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import type { VirtualAppliance } from '@lanyard/simulator';
import { describe, expect, onTestFinished, test } from 'vitest';
import { enoughFor, limitsOf, openDyingTown } from '../support/dying-town.ts';
import type { Allowance, DyingTown } from '../support/dying-town.ts';
import { PatientAuthority } from '../support/patient-authority.ts';
import { PatientPebble } from '../support/patient-pebble.ts';
import { arePeersMissing } from '../support/peers.ts';

const DEATHS = Number(process.env['LANYARD_CRASHES'] ?? 25);
/** Its orders take seconds, as it lets everybody wait. */
const DEATHS_AT_PEBBLE = Math.min(DEATHS, 10);
const SEED = Number(process.env['LANYARD_CRASH_SEED'] ?? Math.floor(systemRandom.uniform() * 2 ** 31));

/** Switched on before each death. */
const NEWCOMERS = 2;
/** A death in so many has a renewal to interrupt beside them. */
const RENEWAL_EVERY = 3;
/** A death in so many comes while the broker starts. */
const STILLBORN_EVERY = 5;
/** A start takes about this long, on a machine with nothing else to do. */
const START_MS = 1_000;
/** Then everybody is served before the next death: so that orders live through several, and none through all. */
const MOST_WAITING = 8;

/** The latest instant, in lives of an order, which is measured first: a slow machine would only die before any order. */
const LATEST_LIVES = 1.5;

describe.each([
  {
    ca: 'the model CA',
    deaths: DEATHS,
    open: (limits: Allowance) => new PatientAuthority(limitsOf(limits)),
    isLax: false,
  },
  { ca: 'Pebble', deaths: DEATHS_AT_PEBBLE, open: () => new PatientPebble(), isLax: true },
])('a broker that is killed at $deaths random instants', ({ ca, deaths, open, isLax }) => {
  const timeout = 120_000 + deaths * 30_000;
  test.skipIf(isLax && arePeersMissing('pebble'))(`serves everybody once at ${ca}`, { timeout }, async () => {
    const random = seededRandom(SEED);
    const appliances = 1 + deaths * NEWCOMERS;
    const allowance = { newOrders: enoughFor(appliances + deaths), ofDomain: appliances, ofSet: 2 };
    const authority = open(allowance);
    const dying = await openDyingTown({ appliances, allowance, authority });
    onTestFinished(() => dying.close());
    const campaign = new Campaign(dying, random);
    await campaign.measure();
    for (let death = 0; death < deaths; death++) await campaign.death();
    await campaign.end();

    const counted = authority.counted();
    const doubles = counted.orders - counted.certificates - counted.failedValidations;
    const { asked, meant, lostAnswers } = campaign;
    const spent = dying.spentNewOrders();
    console.log(JSON.stringify({ ca, seed: SEED, deaths, meant, ...counted, doubles, lostAnswers, spent }));
    expect(meant).toBeGreaterThan(0);
    expect(dying.leftovers()).toEqual({ openOrders: 0, uninstalled: 0, challengeRecords: 0 });
    expect(counted).toMatchObject({ certificates: asked, refusals: 0 });
    expect(dying.certificates()).toBe(asked);
    // Boulder answers the same wish with the order that is open already; Pebble does not know it again.
    expect(doubles).toBeLessThanOrEqual(isLax ? lostAnswers : 0);
    expect(doubles).toBeGreaterThanOrEqual(0);
    expect(dying.overdrawn()).toEqual([]);
    expect(dying.ask('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });
});

class Campaign {
  /** Certificates that were asked for. */
  asked = 0;
  /** Deaths that met an order under way. */
  meant = 0;
  /** Orders whose request may have been on its way when the broker died. */
  lostAnswers = 0;
  readonly #dying: DyingTown;
  readonly #random: Random;
  readonly #newcomers: Iterator<VirtualAppliance>;
  /** Switched on, not all of them served. */
  readonly #waiting: VirtualAppliance[] = [];
  /** Served once and switched off. */
  readonly #renewable: VirtualAppliance[] = [];
  readonly #renewed = new Set<VirtualAppliance>();
  #orderMs = 0;

  constructor(dying: DyingTown, random: Random) {
    this.#dying = dying;
    this.#random = random;
    this.#newcomers = dying.town.appliances.values();
  }

  async measure(): Promise<void> {
    const startMs = systemClock.monotonicMs();
    await this.#switchOn();
    await this.#serveAll();
    this.#orderMs = systemClock.monotonicMs() - startMs;
  }

  async death(): Promise<void> {
    if (this.#waiting.length >= MOST_WAITING) await this.#serveAll();
    if (this.#oneIn(RENEWAL_EVERY)) await this.#renew();
    for (let newcomer = 0; newcomer < NEWCOMERS; newcomer++) await this.#switchOn();
    // The instant is the point of the test: there is nothing to wait for.
    await this.#sleepUpTo(this.#orderMs * LATEST_LIVES);
    await this.#kill();
    if (this.#oneIn(STILLBORN_EVERY)) await this.#dieWhileStarting();
    await this.#dying.town.broker.start();
    // After several short-lived lines they would pause for minutes before they try again, as they should.
    await Promise.all(this.#waiting.map((appliance) => appliance.reboot()));
  }

  async end(): Promise<void> {
    await this.#serveAll();
  }

  async #switchOn(): Promise<void> {
    const { value, done } = this.#newcomers.next();
    if (done === true) throw new Error('there are too few appliances');
    this.asked++;
    this.#waiting.push(value);
    await value.powerOn();
  }

  async #renew(): Promise<void> {
    const appliance = this.#renewable.shift();
    if (appliance === undefined) return;
    this.asked++;
    this.#renewed.add(appliance);
    this.#waiting.push(appliance);
    await this.#dying.town.admin.post(`/v1/appliances/${appliance.deviceId}/renew`);
    await appliance.powerOn();
  }

  async #kill(): Promise<void> {
    await this.#dying.town.broker.kill();
    if (this.#dying.leftovers().openOrders > 0) this.meant++;
    this.lostAnswers += this.#dying.lostAnswers();
  }

  async #dieWhileStarting(): Promise<void> {
    const { broker } = this.#dying.town;
    const started = broker.start().catch(() => undefined);
    await this.#sleepUpTo(START_MS);
    await this.#kill();
    await started;
  }

  async #serveAll(): Promise<void> {
    await this.#dying.settled(this.#waiting, this.asked);
    for (const appliance of this.#waiting.splice(0)) {
      await appliance.shutDown();
      if (!this.#renewed.has(appliance)) this.#renewable.push(appliance);
    }
  }

  #oneIn(times: number): boolean {
    return this.#random.uniform() * times < 1;
  }

  async #sleepUpTo(mostMs: number): Promise<void> {
    await sleep(systemClock, this.#random.uniform() * mostMs);
  }
}
