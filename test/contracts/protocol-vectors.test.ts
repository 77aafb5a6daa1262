/** The wire protocol's vectors, which hold for an implementation in any language. */
import { readFileSync } from 'node:fs';
import {
  decodeBody,
  encodeDown,
  encodeUp,
  parseDown,
  parseDownTopic,
  parseUp,
  parseUpTopic,
} from '@lanyard/sdk/protocol';
import type { DownKind, Parsed, UpKind } from '@lanyard/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const body = z.record(z.string(), z.unknown());
const messageFile = z.strictObject({
  message: z.string(),
  direction: z.enum(['up', 'down']),
  about: z.string(),
  cases: z.array(
    z.discriminatedUnion('outcome', [
      /** `canonical` is what a second encoding gives, where it is not the body itself. */
      z.strictObject({ name: z.string(), body, outcome: z.literal('accepted'), canonical: body.optional() }),
      z.strictObject({ name: z.string(), body, outcome: z.literal('refused'), code: z.string(), field: z.string() }),
    ]),
  ),
});

/** By the names of their files: `revocation` goes both ways. */
const UP: Readonly<Record<string, UpKind>> = {
  hello: 'hello',
  csr: 'csr',
  installed: 'installed',
  bye: 'bye',
  'signed-revocation': 'revocation',
};
const DOWN: Readonly<Record<string, DownKind>> = {
  state: 'state',
  certificate: 'certificate',
  problem: 'problem',
  revocation: 'revocation',
};

describe.each([...Object.keys(UP), ...Object.keys(DOWN)])('%s', (name) => {
  const { cases } = messageFile.parse(read(name));

  test.each(cases)('$name: $outcome', (vector) => {
    expect(outcomeOf(parseAndEncode(name, vector.body))).toEqual(
      vector.outcome === 'accepted'
        ? { outcome: 'accepted', body: vector.canonical ?? vector.body }
        : { outcome: 'refused', code: vector.code, field: vector.field },
    );
  });
});

describe('payloads', () => {
  const file = z.object({
    cases: z.array(
      z.strictObject({
        name: z.string(),
        payload: z.string(),
        outcome: z.enum(['accepted', 'refused']),
        code: z.string().optional(),
        id: z.string().optional(),
      }),
    ),
  });

  test.each(file.parse(read('body')).cases)('$name: $outcome', ({ payload, outcome, code, id }) => {
    const decoded = decodeBody(Buffer.from(payload, 'hex'));
    expect(decoded.ok ? 'accepted' : 'refused').toBe(outcome);
    expect(decoded.ok ? undefined : decoded.code).toBe(code);
    expect(decoded.id).toBe(id);
  });
});

describe('topics', () => {
  const file = z.object({
    cases: z.array(
      z.strictObject({
        topic: z.string(),
        direction: z.enum(['up', 'down']),
        deviceId: z.string().optional(),
        kind: z.string().optional(),
      }),
    ),
  });

  test.each(file.parse(read('topics')).cases)('$direction "$topic"', ({ topic, direction, deviceId, kind }) => {
    const address = direction === 'up' ? parseUpTopic(topic) : parseDownTopic(topic);
    expect(address).toEqual(deviceId === undefined ? undefined : { deviceId, kind });
  });
});

/** Reads a body and writes what was understood, as one who passes it on would. */
function parseAndEncode(name: string, value: unknown): Parsed<unknown> {
  const [up, down] = [UP[name], DOWN[name]];
  if (up !== undefined) return encoded(parseUp(up, value), encodeUp);
  if (down !== undefined) return encoded(parseDown(down, value), encodeDown);
  throw new Error(`no message is called ${name}`);
}

function outcomeOf(parsed: Parsed<unknown>): object {
  if (parsed.ok) return { outcome: 'accepted', body: parsed.value };
  return { outcome: 'refused', code: parsed.code, field: parsed.message.split(' ')[0] };
}

function encoded<T>(parsed: Parsed<T>, encode: (message: T) => Buffer): Parsed<unknown> {
  return parsed.ok ? { ok: true, value: JSON.parse(encode(parsed.value).toString()) } : parsed;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/protocol/${name}.json`, import.meta.url), 'utf8'));
}
