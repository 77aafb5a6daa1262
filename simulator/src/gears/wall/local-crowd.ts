/** The part of a crowd that lives in this process: makes its appliances and does to them what the run says. */
import { join } from 'node:path';
import { adminClient } from '@lanyard/broker';
import type { AdminClient } from '@lanyard/broker';
import { randomHex, sleep, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import { manufacture } from '../../fleet/factory.ts';
import { VirtualAppliance } from '../../fleet/virtual-appliance.ts';
import type { Witness } from '../../world/happening.ts';
import { Lan } from '../../world/lan.ts';
import { NatGateway } from '../../world/nat-gateway.ts';
import { layOutTown } from '../../world/town.ts';
import { arrivalMs } from './arrivals.ts';
import type { Arrivals } from './arrivals.ts';
import type { BuildCommand, CrowdCommand, CrowdStanding } from './crowd-messages.ts';
import { LightClient } from './light-client.ts';
import { enrolLight } from './light-factory.ts';
import type { Member } from './member.ts';
import { SdkMember } from './sdk-member.ts';
import { hasSdk, siteOf } from './slices.ts';

export interface LocalCrowdParts {
  readonly clock: Clock;
  readonly tell: Witness;
  /** Told of the appliances that left the factory, now and then. */
  readonly onMade: (count: number) => void;
}

interface Place {
  readonly lan: Lan;
  readonly gateway: NatGateway;
}

/** Enrolments under way at once, in each process: the broker groups their commits. */
const FACTORY_HANDS = 8;
/** Starting this many Node TLS stacks at once keeps a core busy without starving the connections that are up. */
const AT_ONCE = 16;

export class LocalCrowd {
  readonly #parts: LocalCrowdParts;
  readonly #members = new Map<number, Member>();
  readonly #places = new Map<number, Place>();
  #plan: BuildCommand | undefined;
  #waiting = 0;

  constructor(parts: LocalCrowdParts) {
    this.#parts = parts;
  }

  standing(): CrowdStanding {
    const standing = { on: 0, connected: 0, certified: 0, waiting: this.#waiting };
    for (const member of this.#members.values()) {
      const { isOn, isConnected, isCertified } = member.standing();
      if (isOn) standing.on += 1;
      if (isConnected) standing.connected += 1;
      if (isCertified) standing.certified += 1;
    }
    return standing;
  }

  async obey(command: CrowdCommand): Promise<void> {
    switch (command.kind) {
      case 'build':
        return await this.#build(command);
      case 'arrive':
        return await this.#arrive(command);
      case 'power-on':
        return await this.#forEach(command.numbers, (member) => member.powerOn(command.why));
      case 'power-cut':
        return await this.#forEach(command.numbers, (member) => member.powerCut(command.why), Infinity);
      case 'reboot':
        return await this.#forEach(command.numbers, (member) => member.reboot());
      case 'factory-reset':
        return await this.#forEach(command.numbers, (member) => member.factoryReset());
      case 'move':
        return await this.#forEach(command.numbers, async (member) => member.move());
      case 'partition':
        return this.#partition(command.numbers, command.isCut);
      case 'status':
      case 'end':
        return;
    }
  }

  async #build(plan: BuildCommand): Promise<void> {
    this.#plan = plan;
    const { crowd, slice, seed, takesProxyHeader } = plan;
    const sites = layOutTown(crowd.sites, seededRandom(seed));
    const admin = adminClient(plan.admin.origin, plan.admin.token);
    const numbers = Array.from({ length: slice.count }, (_, index) => slice.first + index);
    for (const number of numbers) {
      const index = siteOf(crowd, number);
      const site = sites[index];
      if (site === undefined || this.#places.has(index)) continue;
      this.#places.set(index, { lan: new Lan(site), gateway: new NatGateway(site, { isAnnounced: takesProxyHeader }) });
    }
    // Made in any order, kept in that of their numbers, in which they arrive.
    const made = new Map<number, Member>();
    await inParallel(numbers, FACTORY_HANDS, async (number) => {
      const place = this.#places.get(siteOf(crowd, number));
      if (place === undefined) return;
      made.set(number, await this.#make(plan, number, place, admin));
      this.#parts.onMade(1);
    });
    for (const number of numbers) {
      const member = made.get(number);
      if (member !== undefined) this.#members.set(number, member);
    }
  }

  async #make(plan: BuildCommand, number: number, { lan, gateway }: Place, admin: AdminClient): Promise<Member> {
    const { clock, tell } = this.#parts;
    const { door, directory, trustedRoots } = plan;
    const deviceId = `wall-${String(number + 1).padStart(6, '0')}-${randomHex(systemRandom, 4)}`;
    if (!hasSdk(plan.crowd, number)) {
      const { name, credentials } = await enrolLight(admin, deviceId);
      const { dial } = gateway;
      const light = { number, deviceId, name, credentials, door, dial, lan, clock, random: systemRandom, tell };
      const client = new LightClient(light);
      client.prepare();
      return client;
    }
    const flash = join(directory, deviceId);
    const name = await manufacture(admin, deviceId, flash);
    const broker = `mqtts://${door.host}:${door.port}`;
    // On its site's own address: one address has fewer free ports than a machine can run appliances.
    const web = gateway.source === undefined ? {} : { webHost: gateway.source };
    const parts = { deviceId, name, flash, lan, gateway, broker, trustedRoots, clock, ...web };
    return new SdkMember({ number, appliance: new VirtualAppliance(parts), clock, tell });
  }

  async #arrive(arrivals: Arrivals): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const { size } = this.#members;
    let before = 0;
    await inParallel(this.#members.values(), AT_ONCE, async (member) => {
      const dueMs = startMs + arrivalMs(arrivals, before++ / size);
      const nowMs = clock.monotonicMs();
      // A pause between any two, so that those that are up are heard while the others come.
      await sleep(clock, Math.max(0, dueMs - nowMs));
      await member.powerOn('arrival');
    });
  }

  async #forEach(numbers: readonly number[], work: (member: Member) => Promise<void>, atOnce = AT_ONCE): Promise<void> {
    const members = numbers.flatMap((number) => this.#members.get(number) ?? []);
    await inParallel(members, Math.min(atOnce, members.length), async (member) => {
      this.#waiting += 1;
      await work(member).finally(() => (this.#waiting -= 1));
    });
  }

  #partition(numbers: readonly number[], isCut: boolean): void {
    if (this.#plan === undefined) return;
    const { crowd } = this.#plan;
    for (const site of new Set(numbers.map((number) => siteOf(crowd, number)))) {
      const gateway = this.#places.get(site)?.gateway;
      if (isCut) gateway?.cut();
      else gateway?.mend();
    }
  }
}

async function inParallel<T>(items: Iterable<T>, hands: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const hand = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: hands }, hand));
}
