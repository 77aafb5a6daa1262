/** How many TCP connections there may be, in all and from one address. */

export interface ConnectionCapLimits {
  readonly total: number;
  readonly perAddress: number;
}

/** RFC 9210 §4.1 asks for both. A resolver needs a handful; the total bounds memory at about 70 MB of buffers. */
export const DNS_CONNECTION_CAPS: ConnectionCapLimits = { total: 1000, perAddress: 64 };

export class ConnectionCaps {
  readonly #limits: ConnectionCapLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: ConnectionCapLimits) {
    this.#limits = limits;
  }

  /** Whether one more connection from `address` may live; every yes is to be given back by `leave`. */
  enter(address: string): boolean {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#total >= this.#limits.total || ofAddress >= this.#limits.perAddress) return false;
    this.#total += 1;
    this.#byAddress.set(address, ofAddress + 1);
    return true;
  }

  leave(address: string): void {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress === 0) return;
    this.#total -= 1;
    if (ofAddress === 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, ofAddress - 1);
  }
}
