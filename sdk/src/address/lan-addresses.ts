/** The machine's own LAN addresses, watched. */
import { networkInterfaces } from 'node:os';
import type { Clock, Timer } from '../kernel/clock.ts';
import { describeError } from '../kernel/errors.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { Logger } from '../kernel/logger.ts';
import type { ReportedAddress } from '../protocol/hello.ts';
import type { AddressSource } from './address-source.ts';
import { candidates } from './candidates.ts';
import type { Interfaces } from './candidates.ts';
import { readLinuxNetwork } from './linux-network.ts';
import type { RoutesAndFlags } from './linux-network.ts';

export interface LanAddressesParts {
  readonly clock: Clock;
  readonly log?: Logger;
  /** Default: `os.networkInterfaces`. */
  readonly readInterfaces?: () => Interfaces;
  /** Default: Linux' /proc/net; elsewhere nothing is known. */
  readonly readNetwork?: () => Promise<RoutesAndFlags>;
}

export function lanAddresses(parts: LanAddressesParts): AddressSource {
  return new LanAddresses(parts);
}

/** Node cannot be told by the kernel, so it asks; one question costs well under a millisecond. */
const POLL_MS = 15_000;
/** While DHCP or router advertisements come in, addresses appear one after the other. */
const HOLD_STILL_MS = 5_000;

class LanAddresses implements AddressSource {
  readonly #parts: LanAddressesParts;
  readonly #log: Logger;
  #listener: () => void = () => {};
  #current: readonly ReportedAddress[] = [];
  /** A set that differs from the current one and has yet to hold still. */
  #moved: readonly ReportedAddress[] | undefined;
  #timer: Timer | undefined;
  /** Counts starts and stops: what an earlier life has under way must not touch a later one. */
  #life = 0;
  #isRunning = false;

  constructor(parts: LanAddressesParts) {
    this.#parts = parts;
    this.#log = parts.log ?? silentLogger;
  }

  current(): readonly ReportedAddress[] {
    return this.#current;
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  async start(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#life += 1;
    const life = this.#life;
    const first = await this.#read();
    if (life !== this.#life) return;
    this.#current = first ?? [];
    this.#lookIn(POLL_MS);
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#life += 1;
    this.#timer?.cancel();
    this.#moved = undefined;
  }

  #lookIn(delayMs: number): void {
    this.#timer = this.#parts.clock.setTimer(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const life = this.#life;
    const found = await this.#read();
    if (life !== this.#life) return;
    if (found === undefined || isSame(found, this.#current)) {
      this.#moved = undefined;
      return this.#lookIn(POLL_MS);
    }
    const hasHeldStill = this.#moved !== undefined && isSame(found, this.#moved);
    if (!hasHeldStill) {
      this.#moved = found;
      return this.#lookIn(HOLD_STILL_MS);
    }
    this.#moved = undefined;
    this.#current = found;
    this.#lookIn(POLL_MS);
    this.#log.info({ addresses: found.map(({ address }) => address) }, 'the LAN addresses have changed');
    this.#listener();
  }

  /** Undefined when the system does not tell: then what was known stays. */
  async #read(): Promise<readonly ReportedAddress[] | undefined> {
    const { readInterfaces = networkInterfaces, readNetwork = readLinuxNetwork } = this.#parts;
    try {
      return candidates(readInterfaces(), await readNetwork());
    } catch (error) {
      this.#log.warn({ error: describeError(error) }, 'the LAN addresses could not be read');
      return undefined;
    }
  }
}

function isSame(one: readonly ReportedAddress[], other: readonly ReportedAddress[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
