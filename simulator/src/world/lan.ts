/** One site's LAN: DHCP leases, and the way from a LAN address to the loopback port that plays it. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Site } from './site.ts';

/** Where an appliance really listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** DHCP pools of home routers begin here. */
const FIRST_HOST = 20;
const LAST_HOST = 250;

export class Lan {
  readonly site: Site;
  readonly #leases = new Map<string, string>();
  readonly #endpoints = new Map<string, Endpoint>();
  #nextHost = FIRST_HOST;

  constructor(site: Site) {
    this.site = site;
  }

  /** The address of `client`; the same as before unless it was taken away. */
  lease(client: string): string {
    const address = this.#leases.get(client) ?? this.#freeAddress();
    this.#leases.set(client, address);
    return address;
  }

  /** What DHCP does after a router was replaced: another address, and the old one answers no more. */
  renumber(client: string): string {
    const former = this.#leases.get(client);
    const address = this.#freeAddress();
    this.#leases.set(client, address);
    const endpoint = former === undefined ? undefined : this.#endpoints.get(former);
    if (former !== undefined) this.#endpoints.delete(former);
    if (endpoint) this.#endpoints.set(address, endpoint);
    return address;
  }

  /** From now on port 443 of `address` is answered at `endpoint`. */
  attach(address: string, endpoint: Endpoint): void {
    this.#endpoints.set(address, endpoint);
  }

  detach(address: string): void {
    this.#endpoints.delete(address);
  }

  /** What a visitor in this LAN meets at port 443 of `address`; undefined when nobody is there. */
  reach(address: string): Endpoint | undefined {
    return this.#endpoints.get(address);
  }

  #freeAddress(): string {
    const taken = new Set(this.#leases.values());
    for (let tries = FIRST_HOST; tries <= LAST_HOST; tries++) {
      const address = `${this.site.lan}.${this.#nextHost}`;
      this.#nextHost = this.#nextHost === LAST_HOST ? FIRST_HOST : this.#nextHost + 1;
      if (!taken.has(address)) return address;
    }
    throw new LanyardError('internal', { message: `the LAN of ${this.site.name} has no free address` });
  }
}
