/** From the bytes of a question to the bytes of its answer. */
import { encodeRefusal, encodeResponse } from './encode-response.ts';
import { parseQuery } from './parse-query.ts';
import type { Transport } from './wire.ts';
import { answer, type Zone } from './zone.ts';

/** Undefined when the message deserves no answer. Synchronous, so one answer sees one state of the zones. */
export function respond(message: Buffer, transport: Transport, zones: readonly Zone[]): Buffer | undefined {
  const parsed = parseQuery(message);
  switch (parsed.kind) {
    case 'drop':
      return undefined;
    case 'refusal':
      return encodeRefusal(parsed);
    case 'query':
      return encodeResponse(parsed, answer(zones, parsed), transport);
  }
}
