/** A fingerprint of everything that happened in its order: two runs with one fingerprint went the same way. */
import { createHash } from 'node:crypto';
import type { Happening } from '../world/happening.ts';

/** Hashing line by line would cost more than what is hashed. */
const BATCH_CHARACTERS = 64 * 1024;

export class EventHash {
  readonly #hash = createHash('sha256');
  #batch = '';
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(happening: Happening): void {
    this.#count += 1;
    this.#batch += `${lineOf(happening)}\n`;
    if (this.#batch.length < BATCH_CHARACTERS) return;
    this.#hash.update(this.#batch);
    this.#batch = '';
  }

  /** Of everything so far; 16 hex digits are enough to tell runs apart. */
  digest(): string {
    this.#hash.update(this.#batch);
    this.#batch = '';
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}

/** Only what the seed decides: keys and fingerprints of real cryptography differ from run to run. */
export function lineOf(happening: Happening): string {
  const when = `${Math.round(happening.atMs)} ${happening.kind}`;
  const who = 'appliance' in happening && happening.appliance !== undefined ? ` #${happening.appliance}` : '';
  // What is the first CA's, and so everything where there is one, is told as before there could be several.
  const where = 'ca' in happening && happening.ca !== undefined ? ` CA ${happening.ca}` : '';
  return `${when}${who}${where}${whatOf(happening)}`;
}

function whatOf(happening: Happening): string {
  switch (happening.kind) {
    case 'powered':
      return ` ${happening.isOn ? 'on' : 'off'} ${happening.why}`;
    case 'disconnected':
      return ` ${happening.why}`;
    case 'said':
    case 'broker':
      return ` ${happening.what}`;
    case 'told':
      return ` ${happening.what} ${happening.about}`;
    case 'authority':
      return happening.what === 'certified' ? ' certified' : ` ${happening.what} ${happening.about}`;
    case 'problem':
      return ` ${happening.code}`;
    case 'installed':
      return ` ${happening.isFirst ? 'first' : 'renewal'} waited ${Math.round(happening.waitedMs)}`;
    case 'expired':
      return happening.excuse === undefined ? '' : ` ${happening.excuse}`;
    case 'published':
      return ` waited ${Math.round(happening.waitedMs)}`;
    case 'flash-written':
      return ` ${happening.bytes}`;
    case 'event':
      return ` ${happening.what} ${happening.phase}`;
    case 'connected':
    case 'moved':
    case 'order-opened':
    case 'order-closed':
      return '';
  }
}
