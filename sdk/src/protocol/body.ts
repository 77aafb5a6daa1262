/** Between the bytes of an MQTT payload and a JSON object of our version. */
import { LIMITS } from './limits.ts';
import type { Parsed } from './shape.ts';
import { PROTOCOL_VERSION } from './version.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a payload: at most 16 KiB of UTF-8 JSON, an object whose `v` is 1.
 * `id` comes along when it is usable even if the rest is not, so that the refusal can be matched to the request.
 */
export function decodeBody(payload: Uint8Array): Parsed<Readonly<Record<string, unknown>>> & { readonly id?: string } {
  if (payload.byteLength > LIMITS.bodyBytes) {
    return { ok: false, code: 'too-large', message: `the body has more than ${LIMITS.bodyBytes} bytes` };
  }
  const value = parseJson(payload);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, code: 'bad-request', message: 'the body must be a JSON object in UTF-8' };
  }
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const id = fields['id'];
  const echo = typeof id === 'string' && id.length <= LIMITS.idCharacters ? { id } : {};
  if (fields['v'] !== PROTOCOL_VERSION) {
    return { ok: false, code: 'unsupported-version', message: `v must be ${PROTOCOL_VERSION}`, ...echo };
  }
  return { ok: true, value: fields, ...echo };
}

/** The payload of a message: compact JSON with the version in front. */
export function encodeBody(message: object): Buffer {
  return Buffer.from(JSON.stringify({ v: PROTOCOL_VERSION, ...message }));
}

/** Epoch milliseconds as the wire writes them. */
export function toInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(payload));
  } catch {
    return undefined;
  }
}
