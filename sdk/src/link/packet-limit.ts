/** Watches a byte stream of MQTT packets for one that is announced larger than anybody may send. */

/** Bits of a length byte: seven of length, the eighth says that another byte follows (MQTT 3.1.1 §2.2.3). */
const LENGTH_BITS = 0x7f;
const CONTINUES = 0x80;
const LENGTH_BYTES = 4;

export class PacketLimit {
  readonly #maxBytes: number;
  /** Bytes of the current packet that are still to come; undefined while its header is read. */
  #remaining: number | undefined;
  #header: number[] = [];

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the stream is still within the limit after `chunk`. Never keeps a payload. */
  accepts(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#remaining !== undefined) {
        const step = Math.min(this.#remaining, chunk.byteLength - at);
        this.#remaining -= step;
        at += step;
      } else {
        this.#header.push(chunk[at] ?? 0);
        at += 1;
        this.#remaining = this.#announced();
      }
      if (this.#remaining !== undefined && this.#remaining > this.#maxBytes) return false;
      if (this.#remaining === 0) this.#remaining = undefined;
    }
    return true;
  }

  /** What the header says once it is complete; too long a header is larger than everything. */
  #announced(): number | undefined {
    const lengthBytes = this.#header.slice(1);
    const last = lengthBytes.at(-1);
    if (last === undefined) return undefined;
    if ((last & CONTINUES) !== 0) return lengthBytes.length >= LENGTH_BYTES ? Infinity : undefined;
    this.#header = [];
    return lengthBytes.reduceRight((length, byte) => length * 128 + (byte & LENGTH_BITS), 0);
  }
}
