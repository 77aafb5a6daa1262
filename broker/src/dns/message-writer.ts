/** Writes DNS messages into one buffer that is used again and again, with names compressed (RFC 1035 §4.1.4). */
import type { Query } from './parse-query.ts';
import { HEADER_BYTES, POINTER_BITS, TCP_BYTES } from './wire.ts';
import type { Octets } from './zone.ts';

/** A pointer has 14 bits. */
const MAX_POINTER = 0x3fff;
/** The longest answer (13 name servers) has fewer; a bound on the search, not on the message. */
const MAX_KNOWN_NAMES = 32;

/**
 * Writing beyond the buffer is harmless: typed arrays ignore it, and only the offset grows. Whoever writes compares
 * `offset` with its limit afterwards.
 */
export class MessageWriter {
  readonly #bytes = Buffer.alloc(TCP_BYTES);
  #offset = 0;
  #query: Query | undefined;
  readonly #knownNames: string[] = [];
  readonly #knownOffsets: number[] = [];

  get offset(): number {
    return this.#offset;
  }

  /** Starts a message with room for its header and, when there is a query, the echo of its question. */
  begin(query: Query | undefined): void {
    this.#query = query;
    this.#knownNames.length = 0;
    this.#knownOffsets.length = 0;
    this.#offset = query?.questionEnd ?? HEADER_BYTES;
    query?.message.copy(this.#bytes, HEADER_BYTES, HEADER_BYTES, query.questionEnd);
  }

  /** Takes back everything from `offset` on. */
  rewind(offset: number): void {
    this.#offset = offset;
    while ((this.#knownOffsets.at(-1) ?? 0) >= offset && this.#knownOffsets.pop() !== undefined) this.#knownNames.pop();
  }

  byte(value: number): void {
    this.#bytes[this.#offset++] = value;
  }

  short(value: number): void {
    this.shortAt(this.#offset, value);
    this.#offset += 2;
  }

  long(value: number): void {
    this.short(value >>> 16);
    this.short(value & 0xffff);
  }

  shortAt(offset: number, value: number): void {
    this.#bytes[offset] = value >>> 8;
    this.#bytes[offset + 1] = value & 0xff;
  }

  data(bytes: Uint8Array): void {
    const start = this.#offset;
    for (let index = 0; index < bytes.length; index++) this.#bytes[start + index] = bytes[index] ?? 0;
    this.#offset = start + bytes.length;
  }

  octets(octets: Octets): void {
    const start = this.#offset;
    for (let index = 0; index < octets.length; index++) this.#bytes[start + index] = octets.charCodeAt(index);
    this.#offset = start + octets.length;
  }

  /** @param name in the form of `parseDomainName`, so that its characters are its bytes. */
  name(name: string): void {
    let rest = name;
    while (rest !== '') {
      const known = this.#offsetOf(rest);
      if (known !== undefined) return this.short((POINTER_BITS << 8) | known);
      this.#remember(rest);
      const dot = rest.indexOf('.');
      const length = dot < 0 ? rest.length : dot;
      this.byte(length);
      for (let index = 0; index < length; index++) this.byte(rest.charCodeAt(index));
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.byte(0);
  }

  /** A copy of the message, as the buffer is needed for the next. */
  finish(): Buffer {
    const message = Buffer.allocUnsafe(this.#offset);
    this.#bytes.copy(message, 0, 0, this.#offset);
    return message;
  }

  #offsetOf(name: string): number | undefined {
    const inQuestion = this.#offsetInQuestion(name);
    if (inQuestion !== undefined) return inQuestion;
    const index = this.#knownNames.indexOf(name);
    return index < 0 ? undefined : this.#knownOffsets[index];
  }

  /** The question ends in the zone's name, so nearly every pointer goes there. */
  #offsetInQuestion(name: string): number | undefined {
    if (this.#query === undefined) return undefined;
    const asked = this.#query.name;
    if (asked === name) return HEADER_BYTES;
    const isBelow = asked.endsWith(name) && asked.charCodeAt(asked.length - name.length - 1) === 0x2e;
    // Counted from the end, where no label of the question can hide an escape: type, class, root, name.
    return isBelow ? this.#query.questionEnd - 4 - 1 - (name.length + 1) : undefined;
  }

  #remember(name: string): void {
    if (this.#offset > MAX_POINTER || this.#knownNames.length >= MAX_KNOWN_NAMES) return;
    this.#knownNames.push(name);
    this.#knownOffsets.push(this.#offset);
  }
}
