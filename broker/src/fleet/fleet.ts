/** Which appliances there are, which name is whose, and where the names point. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import { isDeviceId } from '@lanyard/sdk/protocol';
import type { Hello, WithheldAddress } from '@lanyard/sdk/protocol';
import type { AddressBoard } from './address-board.ts';
import { chooseAddresses } from './address-policy.ts';
import type { AddressPolicy } from './address-policy.ts';
import type { AddressPeriod, ApplianceStore } from './appliance-store.ts';
import { nameOf } from './appliance.ts';
import type { Appliance } from './appliance.ts';
import { randomLabel } from './label.ts';

export interface FleetSettings {
  /** Apex of the zone that new appliances get their names in. */
  readonly zone: string;
  readonly addresses: AddressPolicy;
}

export interface FleetParts {
  readonly store: ApplianceStore;
  readonly board: AddressBoard;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: FleetSettings;
}

export interface Greeting {
  readonly appliance: Appliance;
  readonly published: readonly string[];
  readonly withheld: readonly WithheldAddress[];
}

/** With 80 random bits a second collision means broken dice, not bad luck. */
const LABEL_TRIES = 3;

export class Fleet {
  readonly #parts: FleetParts;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  /**
   * Binds a random label to the identity for ever. Idempotent for the same id and key.
   * @throws LanyardError `appliance-id-invalid` | `appliance-exists` | `store-failed`.
   */
  async enrol(deviceId: string, identityKeyHash: string): Promise<Appliance> {
    const { store, clock, random, settings, log } = this.#parts;
    if (!isDeviceId(deviceId)) throw new LanyardError('appliance-id-invalid');
    for (let attempt = 0; attempt < LABEL_TRIES; attempt++) {
      const label = randomLabel(random);
      const fresh = { deviceId, zone: settings.zone, label, identityKeyHash, status: 'active' } as const;
      const enrolment = await store.enrol({ ...fresh, enrolledAtMs: clock.nowMs() });
      if (enrolment.kind === 'other-key') throw new LanyardError('appliance-exists');
      if (enrolment.kind === 'label-taken') continue;
      if (enrolment.kind === 'enrolled')
        log.info({ deviceId, name: nameOf(enrolment.appliance) }, 'appliance enrolled');
      return enrolment.appliance;
    }
    throw new LanyardError('internal', { message: 'no free label was found' });
  }

  /**
   * Who says this hello, and which of its addresses may be published; changes nothing.
   * @throws LanyardError `appliance-unknown`.
   */
  async recognise(deviceId: string, { addresses }: Pick<Hello, 'addresses'>): Promise<Greeting> {
    return { appliance: await this.find(deviceId), ...chooseAddresses(addresses, this.#parts.settings.addresses) };
  }

  /** Notes where the appliance is and makes its name point there; resolves when the DNS serves it. */
  async greet({ appliance, published }: Greeting, hello: Hello): Promise<void> {
    const { store, board, clock, log } = this.#parts;
    const { deviceId } = appliance;
    const { sdkVersion, firmwareVersion, model, rebinding } = hello;
    const versions = {
      ...(firmwareVersion !== undefined && { firmwareVersion }),
      ...(model !== undefined && { model }),
    };
    await store.recordHello(deviceId, { atMs: clock.nowMs(), sdkVersion, ...versions, rebinding }, published);
    await board.publish(nameOf(appliance), published);
    if (published.join() !== appliance.published.join()) log.info({ deviceId, published }, 'addresses changed');
  }

  /** @throws LanyardError `appliance-unknown`. */
  async find(deviceId: string): Promise<Appliance> {
    const appliance = await this.#parts.store.find(deviceId);
    if (appliance === undefined) throw new LanyardError('appliance-unknown');
    return appliance;
  }

  /** The names that are the appliance's own; undefined: it is disabled or unknown, and to have no certificate. */
  async namesOf(deviceId: string): Promise<readonly string[] | undefined> {
    const appliance = await this.#parts.store.find(deviceId);
    return appliance?.status === 'active' ? [nameOf(appliance)] : undefined;
  }

  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly Appliance[]> {
    return this.#parts.store.list(page);
  }

  count(): Promise<number> {
    return this.#parts.store.count();
  }

  addressHistory(deviceId: string, limit: number): Promise<readonly AddressPeriod[]> {
    return this.#parts.store.addressHistory(deviceId, limit);
  }
}
