/** Reads DER and nothing but DER (X.690 §10, §11): every value has one encoding, so what was checked is what is sent on. */

export interface DerNode {
  readonly tag: number;
  /** The whole element, with its tag and length. */
  readonly bytes: Uint8Array;
  readonly contents: Uint8Array;
  /** Of constructed elements; empty for others. */
  readonly children: readonly DerNode[];
}

/** The tags that a signing request or a certificate can hold. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Signing requests and certificates nest eight deep; the rest is room. Bounds the recursion. */
const DEEPEST = 16;
/** No element is longer than 64 KiB, and all callers bound their input far below. */
const MOST_LENGTH_BYTES = 2;

const CLASS_MASK = 0xc0;
const CONTEXT_CLASS = 0x80;
const CONSTRUCTED = 0x20;

/** @throws RangeError on everything that is not exactly one element in DER. */
export function readStrictDer(bytes: Uint8Array): DerNode {
  const node = readNode(bytes, 0);
  if (node.bytes.length !== bytes.length) throw new RangeError('bytes after the end');
  return node;
}

function readNode(bytes: Uint8Array, depth: number): DerNode {
  if (depth > DEEPEST) throw new RangeError('nested too deeply');
  const tag = byteAt(bytes, 0);
  // High tag numbers: nothing in PKCS#10 or X.509 has one.
  if ((tag & 0x1f) === 0x1f) throw new RangeError('tag of several bytes');
  const { start, length } = readLength(bytes);
  if (start + length > bytes.length) throw new RangeError('element longer than what holds it');
  const contents = bytes.subarray(start, start + length);
  const isConstructed = (tag & CONSTRUCTED) !== 0;
  const children = isConstructed ? readChildren(contents, depth + 1) : [];
  assertContents(tag, contents, children);
  return { tag, bytes: bytes.subarray(0, start + length), contents, children };
}

/** X.690 §10.1: the definite form, in as few bytes as possible. */
function readLength(bytes: Uint8Array): { start: number; length: number } {
  const first = byteAt(bytes, 1);
  if (first < 0x80) return { start: 2, length: first };
  const count = first & 0x7f;
  if (count === 0) throw new RangeError('indefinite length');
  if (count > MOST_LENGTH_BYTES) throw new RangeError('length of too many bytes');
  let length = 0;
  for (let index = 0; index < count; index += 1) length = length * 256 + byteAt(bytes, 2 + index);
  const isShortest = length >= (count === 1 ? 0x80 : 0x100);
  if (!isShortest) throw new RangeError('length not in its shortest form');
  return { start: 2 + count, length };
}

function readChildren(contents: Uint8Array, depth: number): readonly DerNode[] {
  const children: DerNode[] = [];
  for (let offset = 0; offset < contents.length;) {
    const child = readNode(contents.subarray(offset), depth);
    children.push(child);
    offset += child.bytes.length;
  }
  return children;
}

function assertContents(tag: number, contents: Uint8Array, children: readonly DerNode[]): void {
  if ((tag & CLASS_MASK) === CONTEXT_CLASS) return;
  switch (tag) {
    case TAG.sequence:
      return;
    case TAG.set:
      return assertSorted(children);
    case TAG.boolean:
      return assertThat(contents.length === 1 && (contents[0] === 0 || contents[0] === 0xff), 'boolean');
    case TAG.integer:
      return assertThat(isShortestInteger(contents), 'integer');
    case TAG.bitString:
      return assertThat(isBitString(contents), 'bit string');
    case TAG.null:
      return assertThat(contents.length === 0, 'null');
    case TAG.oid:
      return assertThat(isShortestOid(contents), 'object identifier');
    case TAG.utf8String:
      return assertThat(isUtf8(contents), 'UTF-8 string');
    case TAG.printableString:
      return assertThat(/^[A-Za-z0-9 '()+,\-./:=?]*$/u.test(asciiOf(contents)), 'printable string');
    case TAG.ia5String:
      return assertThat(
        contents.every((byte) => byte < 0x80),
        'IA5 string',
      );
    // X.690 §11.7, §11.8: in UTC, with seconds, a fraction without zeros at its end.
    case TAG.utcTime:
      return assertThat(/^\d{12}Z$/u.test(asciiOf(contents)), 'UTC time');
    case TAG.generalizedTime:
      return assertThat(/^\d{14}(?:\.\d*[1-9])?Z$/u.test(asciiOf(contents)), 'generalized time');
    case TAG.octetString:
      return;
    default:
      // Also X.690 §10.2: strings in pieces have the constructed bit, and so another tag.
      throw new RangeError(`element of tag ${tag}, which has no place here`);
  }
}

/** X.690 §11.6: the elements of a SET OF stand in the order of their encodings. */
function assertSorted(children: readonly DerNode[]): void {
  let previous: DerNode | undefined;
  for (const child of children) {
    if (previous) assertThat(Buffer.compare(previous.bytes, child.bytes) <= 0, 'order of a set');
    previous = child;
  }
}

/** X.690 §8.3.2: the first nine bits are not all alike. */
function isShortestInteger(contents: Uint8Array): boolean {
  const [first, second] = contents;
  if (first === undefined) return false;
  if (second === undefined) return true;
  return !(first === 0 && second < 0x80) && !(first === 0xff && second >= 0x80);
}

/** X.690 §11.2: the unused bits are zero. */
function isBitString(contents: Uint8Array): boolean {
  const [unused] = contents;
  if (unused === undefined || unused > 7) return false;
  if (contents.length === 1) return unused === 0;
  return (byteAt(contents, contents.length - 1) & ((1 << unused) - 1)) === 0;
}

/** X.690 §8.19.2: no part begins with a zero digit, and the last part ends. */
function isShortestOid(contents: Uint8Array): boolean {
  let isStart = true;
  for (const byte of contents) {
    if (isStart && byte === 0x80) return false;
    isStart = byte < 0x80;
  }
  return contents.length > 0 && isStart;
}

function isUtf8(contents: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(contents);
    return true;
  } catch {
    return false;
  }
}

function asciiOf(contents: Uint8Array): string {
  return Buffer.from(contents).toString('latin1');
}

function assertThat(holds: boolean, what: string): void {
  if (!holds) throw new RangeError(`malformed ${what}`);
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new RangeError('cut short');
  return byte;
}
