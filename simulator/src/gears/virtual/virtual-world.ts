/** A whole world on one virtual clock: sites with boxes, the vendor's broker, the CA and its resolvers. */
import { openInlineStore } from '@lanyard/broker/virtual';
import type { InlineStore, VirtualPorts } from '@lanyard/broker/virtual';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Random } from '@lanyard/sdk/kernel';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import type { Scenario, Weather } from '../../scenarios/scenario.ts';
import type { Happening, Witness } from '../../world/happening.ts';
import { Lan } from '../../world/lan.ts';
import { layOutTown } from '../../world/town.ts';
import { Authorities } from './authorities.ts';
import { Box } from './box.ts';
import { cryptoOf } from './crypto.ts';
import type { Crypto, CryptoMode } from './crypto.ts';
import { Excuses } from './excuses.ts';
import { Vendor } from './vendor.ts';
import type { WireTap } from './vendor.ts';
import type { VirtualAuthority } from './virtual-authority.ts';
import { watchPorts } from './watched-ports.ts';

export interface VirtualWorldPlan {
  readonly scenario: Scenario;
  readonly appliances: number;
  readonly seed: number;
  /** By its name, or made by hand. */
  readonly crypto: CryptoMode | Crypto;
  /** Of the broker's database; in memory when left out. */
  readonly database?: string;
  /** Told of everything that happens. */
  readonly witnesses: readonly Witness[];
  /** Looks at the wire, besides what happens on it; may misdirect messages to see whether anybody notices. */
  readonly tap?: Partial<WireTap>;
  /** Puts something between the domain and its ports, to break a promise on purpose. */
  readonly between?: (ports: VirtualPorts) => VirtualPorts;
}

export const ZONE = 'devices.lanyard.test';
/** A Monday, so that weeks begin where people think they do. */
export const START_MS = Date.UTC(2026, 10, 23);

const OPENING_STEP_MS = 100;

/** Power and line of a clone are not those of the appliance that is counted under its number. */
const OF_ONE_BOX: ReadonlySet<Happening['kind']> = new Set(['powered', 'connected', 'disconnected']);

/** Nothing here waits for sockets or files; work in other threads makes the clock stand still by itself. */
const TIMERS_PER_TURN = 256;

export class VirtualWorld {
  readonly clock = new VirtualClock(START_MS, { timersPerTurn: TIMERS_PER_TURN });
  readonly scenario: Scenario;
  readonly boxes: readonly Box[];
  /** Second boxes with the identity of one above. */
  readonly clones: Box[] = [];
  readonly vendor: Vendor;
  readonly authorities: Authorities;
  readonly excuses: Excuses;
  readonly #plan: VirtualWorldPlan;
  readonly #crypto: Crypto;
  readonly #store: InlineStore;
  readonly #random: Random;
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #cutOff = new Set<string>();
  /** Those that events brought, the youngest last. */
  readonly #weathers: Weather[] = [];
  #isOver = false;
  readonly #tell: Witness = (happening) => this.tell(happening);

  constructor(plan: VirtualWorldPlan) {
    const { scenario, seed, crypto } = plan;
    this.#plan = plan;
    const ground = { clock: this.clock, random: seededRandom(seed + 4) };
    this.#crypto = typeof crypto === 'string' ? cryptoOf(crypto, ground) : crypto;
    this.scenario = scenario;
    this.#random = seededRandom(seed);
    this.#store = openInlineStore(plan.database ?? ':memory:');
    this.authorities = new Authorities({
      clock: this.clock,
      seed,
      scenario,
      crypto: this.#crypto,
      zone: ZONE,
      nameServer: () => this.vendor.broker,
      applianceOf: (name) => this.#numbers.get(name),
      tell: (happening) => this.tell(happening),
    });
    this.vendor = this.#openVendor();
    const models = this.authorities.all.map(({ model }) => model);
    this.excuses = new Excuses({ clock: this.clock, vendor: this.vendor, models });
    this.boxes = this.#makeBoxes();
  }

  /** The first CA, and the only one of most worlds. */
  get authority(): VirtualAuthority {
    return this.authorities.first;
  }

  get weather(): Weather {
    return this.#weathers.at(-1) ?? this.scenario.weather;
  }

  /** @returns what ends it again, whatever other weather has come since. */
  beginWeather(weather: Weather): () => void {
    this.#weathers.push(weather);
    return () => void this.#weathers.splice(this.#weathers.indexOf(weather), 1);
  }

  /** Starts the broker and enrols every box; none is switched on. */
  async open(): Promise<void> {
    await this.#passTimeFor(this.vendor.start());
    for (const { deviceId, number } of this.boxes) {
      const name = await this.vendor.enrol(deviceId);
      this.#names[number] = name;
      this.#numbers.set(name, number);
    }
  }

  /** What the box's name is; undefined before `open`. */
  nameOf({ number }: Pick<Box, 'number'>): string | undefined {
    return this.#names[number];
  }

  /** A second box with the identity and the flash of `box`, standing in another LAN. */
  clone(box: Box): Box {
    const { number, deviceId, flash } = box;
    const site = this.boxes[(number + 1) % this.boxes.length]?.lan ?? box.lan;
    const twin = this.#makeBox(number, deviceId, `${deviceId}-twin-${this.clones.length}`, site, (happening) => {
      if (!OF_ONE_BOX.has(happening.kind)) this.tell(happening);
    });
    twin.flash.restore(flash.image());
    this.clones.push(twin);
    return twin;
  }

  /** Whether a network leads from the site to the broker. */
  setReachable(lan: Lan, isReachable: boolean): void {
    if (isReachable) this.#cutOff.delete(lan.site.name);
    else this.#cutOff.add(lan.site.name);
    for (const box of this.boxesAt(lan)) box.networkChanged(isReachable);
  }

  boxesAt(lan: Lan): readonly Box[] {
    return [...this.boxes, ...this.clones].filter((box) => box.lan === lan);
  }

  tell(happening: Happening): void {
    if (this.#isOver) return;
    this.#note(happening);
    const judged = this.#judged(happening);
    for (const witness of this.#plan.witnesses) witness(judged);
  }

  /** What is torn down with the world does not happen in it. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.vendor.kill();
    await this.authorities.stop();
    this.#store.close();
  }

  #note(happening: Happening): void {
    if (happening.kind === 'authority' && happening.what === 'limited') this.excuses.limited(happening.ca ?? 0);
    if (happening.kind === 'broker' && happening.what === 'started') this.excuses.brokerStarted();
  }

  /** Whether an expiry is anybody's fault is decided here, where everything is known. */
  #judged(happening: Happening): Happening {
    if (happening.kind !== 'expired') return happening;
    const box = this.boxes[happening.appliance];
    const excuse = box && this.excuses.forExpiryOf(box);
    return excuse === undefined ? happening : { ...happening, excuse };
  }

  /** The account at the CA is opened over a network, which takes time. */
  async #passTimeFor(work: Promise<void>): Promise<void> {
    const progress = { isOver: false };
    const settle = (): void => void (progress.isOver = true);
    work.then(settle, settle);
    await this.clock.advance(0);
    while (!progress.isOver) await this.clock.advance(OPENING_STEP_MS);
    await work;
  }

  #openVendor(): Vendor {
    const { scenario, seed, tap = {}, between } = this.#plan;
    const { broker, population } = scenario;
    const { readRequest, readChain } = this.#crypto;
    const { first, others } = this.authorities;
    return new Vendor({
      clock: this.clock,
      random: seededRandom(seed + 2),
      store: this.#store,
      zone: ZONE,
      settings: {
        addresses: { allowCgnat: false, allowGlobal: false },
        appliances: {
          mode: population.mode,
          checkInSeconds: Math.round(broker.checkIn / 1_000),
          reconnectSpreadSeconds: Math.round(broker.reconnectSpread / 1_000),
          renewAsleepDays: Math.round(broker.renewAsleep / 86_400_000),
        },
        issuance: { concurrency: broker.concurrency, failoverAfterSeconds: Math.round(broker.failoverAfter / 1_000) },
      },
      authority: first.authority,
      terms: first.terms,
      failover: others,
      ...(readRequest && { readRequest }),
      ...(readChain && { readChain }),
      between: [...(between ? [between] : []), watchPorts(this)],
      tap: { up: () => {}, down: () => {}, route: (deviceId) => deviceId, ...tap },
      obstacle: (box) => this.#obstacle(box),
      tell: (happening) => this.tell(happening),
    });
  }

  orderOpened(deviceId: string, order: string, keyHash: string): void {
    const appliance = numberOf(deviceId);
    this.tell({ atMs: this.clock.nowMs(), kind: 'order-opened', appliance, order, keyHash });
  }

  stoodIn(deviceId: string, order: string, keyHash: string): void {
    const appliance = numberOf(deviceId);
    this.tell({ atMs: this.clock.nowMs(), kind: 'order-opened', appliance, order, keyHash, isStandIn: true });
  }

  orderClosed(deviceId: string, order: string): void {
    this.tell({ atMs: this.clock.nowMs(), kind: 'order-closed', appliance: numberOf(deviceId), order });
  }

  published(name: string, addresses: readonly string[]): void {
    const box = this.boxes[this.#numbers.get(name) ?? -1];
    if (box?.movedAtMs === undefined || !addresses.includes(box.address)) return;
    const nowMs = this.clock.nowMs();
    const waitedMs = nowMs - box.movedAtMs;
    box.movedAtMs = undefined;
    this.tell({ atMs: nowMs, kind: 'published', appliance: box.number, waitedMs });
  }

  #obstacle({ lan }: Box): LanyardError | undefined {
    const { site } = lan;
    if (this.#cutOff.has(site.name)) return new LanyardError('broker-unreachable', { message: 'no route to host' });
    if (!site.isStrict || this.scenario.broker.onPort443) return undefined;
    return new LanyardError('broker-unreachable', { message: 'the firewall lets nothing out but port 443' });
  }

  #makeBoxes(): readonly Box[] {
    const { appliances, scenario } = this.#plan;
    const { perSite, sites } = scenario.population;
    const lans = layOutTown(Math.ceil(appliances / perSite), this.#random, sites).map((site) => new Lan(site));
    return Array.from({ length: appliances }, (_, number) => {
      const lan = lans[number % lans.length];
      if (lan === undefined) throw new LanyardError('internal', { message: 'a town without sites' });
      return this.#makeBox(number, deviceIdOf(number), deviceIdOf(number), lan);
    });
  }

  #makeBox(number: number, deviceId: string, serialNumber: string, lan: Lan, tell: Witness = this.#tell): Box {
    const { seed, scenario } = this.#plan;
    const { keys, reader } = this.#crypto;
    const { rootsPem } = this.authorities;
    const { quirks } = scenario.population;
    // Each has dice of its own, so that what one does changes nothing for the others.
    const random = seededRandom((seed * 1_000_003 + number * 7_919 + this.clones.length) >>> 0);
    return new Box({
      number,
      deviceId,
      serialNumber,
      lan,
      clock: this.clock,
      random,
      ...(keys && { keys }),
      ...(reader && { reader }),
      ...(rootsPem !== undefined && { trustedRoots: rootsPem }),
      boots1970: random.uniform() < quirks.boots1970,
      isSlowReader: random.uniform() < quirks.slowReader,
      weather: () => this.weather,
      network: this.vendor,
      tell,
    });
  }
}

/** Ids begin with the number, so that it can be read from them. */
function deviceIdOf(number: number): string {
  return `pretend-${String(number).padStart(7, '0')}`;
}

function numberOf(deviceId: string): number {
  return Number(deviceId.slice('pretend-'.length));
}
