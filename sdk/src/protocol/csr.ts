/** `csr`: the appliance asks for a certificate for a key that it has made and kept. */
import { id } from './fields.ts';
import { LIMITS } from './limits.ts';
import { object, parseWith, text } from './shape.ts';
import type { Parsed } from './shape.ts';

export interface Csr {
  readonly id: string;
  /** DER of a PKCS#10 request (RFC 2986), at most 4 KiB. */
  readonly der: Uint8Array;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const shape = object({ id, csr: text(LIMITS.bodyBytes, BASE64) });

export function parseCsr(value: unknown): Parsed<Csr> {
  const parsed = parseWith(shape, value);
  if (!parsed.ok) return parsed;
  const der = new Uint8Array(Buffer.from(parsed.value.csr, 'base64'));
  if (der.byteLength > LIMITS.csrBytes) {
    return { ok: false, code: 'too-large', message: `csr has more than ${LIMITS.csrBytes} bytes` };
  }
  return { ok: true, value: { id: parsed.value.id, der } };
}

/** The body of a csr, to be given to `encodeBody`. */
export function csrBody(csr: Csr): object {
  return { id: csr.id, csr: Buffer.from(csr.der).toString('base64') };
}
