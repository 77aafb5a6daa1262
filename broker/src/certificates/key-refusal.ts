/** Keys that an operator has found in wrong hands: no certificate and no identity is made for them any more. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import type { RefusedKey, RefusedKeyStore } from './refused-keys.ts';

export interface KeyRefusalParts {
  readonly store: RefusedKeyStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export class KeyRefusal {
  readonly #parts: KeyRefusalParts;

  constructor(parts: KeyRefusalParts) {
    this.#parts = parts;
  }

  /** For ever. False: it was refused already. Certificates that the key has stay as they are. */
  async refuse(keyHash: string): Promise<boolean> {
    const { store, clock, log } = this.#parts;
    const isNew = await store.add({ keyHash, reason: 'operator', sinceMs: clock.nowMs() });
    if (isNew) log.warn({ keyHash }, 'a key is refused from now on');
    return isNew;
  }

  list(page: Parameters<RefusedKeyStore['list']>[0]): Promise<readonly RefusedKey[]> {
    return this.#parts.store.list(page);
  }

  /** @throws LanyardError `csr-key-refused`. */
  async check(keyHash: string): Promise<void> {
    if (await this.#parts.store.has(keyHash)) throw new LanyardError('csr-key-refused');
  }
}
