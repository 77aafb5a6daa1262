/** docs/asyncapi.yaml and docs/protocol.md say of the wire exactly what the code does. */
import { readFileSync } from 'node:fs';
import {
  DOWN_KINDS,
  LIMITS,
  PROBLEMS,
  PROBLEM_CODES,
  PROTOCOL_VERSION,
  REQUEST_REASONS,
  UP_KINDS,
  WITHHELD_REASONS,
  decodeBody,
  downTopic,
  encodeDown,
  encodeUp,
  parseDown,
  parseUp,
  upTopic,
} from '@lanyard/sdk/protocol';
import type { DownKind, UpKind } from '@lanyard/sdk/protocol';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const json = z.record(z.string(), z.unknown());
type Json = z.infer<typeof json>;
/** What the documents call a body: `revocation` goes both ways, and means another one each way. */
type Body = Exclude<UpKind, 'revocation'> | 'signedRevocation' | DownKind;

/** The part of JSON Schema that the document uses; anything else is an error. */
interface Schema {
  readonly $ref?: string | undefined;
  readonly description?: string | undefined;
  readonly allOf?: Schema[] | undefined;
  readonly oneOf?: Schema[] | undefined;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean' | undefined;
  readonly required?: string[] | undefined;
  readonly properties?: Record<string, Schema> | undefined;
  readonly items?: Schema | undefined;
  readonly maxItems?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly pattern?: string | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly enum?: string[] | undefined;
  readonly const?: unknown;
  readonly contentEncoding?: 'base64' | undefined;
}
const schema: z.ZodType<Schema> = z.lazy(() =>
  z.strictObject({
    $ref: z.string().optional(),
    description: z.string().optional(),
    allOf: z.array(schema).optional(),
    oneOf: z.array(schema).optional(),
    type: z.enum(['object', 'array', 'string', 'integer', 'boolean']).optional(),
    required: z.array(z.string()).optional(),
    properties: z.record(z.string(), schema).optional(),
    items: schema.optional(),
    maxItems: z.int().optional(),
    maxLength: z.int().optional(),
    pattern: z.string().optional(),
    minimum: z.int().optional(),
    maximum: z.int().optional(),
    enum: z.array(z.string()).optional(),
    const: z.unknown().optional(),
    contentEncoding: z.literal('base64').optional(),
  }),
);

const reference = z.object({ $ref: z.string() });
const document = z
  .object({
    asyncapi: z.literal('3.0.0'),
    channels: z.record(z.string(), z.object({ address: z.string(), messages: z.record(z.string(), reference) })),
    operations: z.record(z.string(), z.object({ action: z.enum(['send', 'receive']), channel: reference })),
    components: z.object({
      messages: z.record(
        z.string(),
        z.object({ payload: reference, examples: z.array(z.object({ name: z.string(), payload: json })).min(1) }),
      ),
      schemas: z.record(z.string(), schema),
    }),
  })
  .parse(parse(read('docs/asyncapi.yaml')));

const kinds: readonly Body[] = [...UP_KINDS.map(upBody), ...DOWN_KINDS];
const { channels, operations, components } = document;

describe('the document', () => {
  test('has a channel for every topic, and for nothing else', () => {
    const addresses = Object.entries(channels).map(([name, { address }]) => [
      name,
      address.replace('{deviceId}', 'device-1'),
    ]);
    expect(addresses).toEqual(kinds.map((kind) => [kind, topicOf(kind)]));
    for (const [name, channel] of Object.entries(channels)) {
      expect(channel.messages).toEqual({ [name]: { $ref: `#/components/messages/${name}` } });
    }
  });

  test('lets the appliance send what goes up and receive what comes down', () => {
    const directions = Object.values(operations).map(({ action, channel }) => [channel.$ref, action]);
    const wanted = kinds.map((kind) => [`#/channels/${kind}`, isUp(kind) ? 'send' : 'receive']);
    expect(directions).toEqual(wanted);
  });

  test('has no reference that leads nowhere', () => {
    const text = read('docs/asyncapi.yaml');
    const whole: unknown = parse(text);
    const references = [...text.matchAll(/\$ref: '#\/([^']+)'/g)].map(([, path = '']) => path);
    expect(references.length).toBeGreaterThan(50);
    const isThere = (path: string): boolean =>
      path.split('/').reduce<unknown>((at, part) => json.safeParse(at).data?.[part], whole) !== undefined;
    expect(references.filter((path) => !isThere(path))).toEqual([]);
  });

  test('lists the version, the problem codes and the reasons that the code has', () => {
    const schemas = components.schemas;
    expect(schemas['version']?.const).toBe(PROTOCOL_VERSION);
    expect(schemas['problem']?.properties?.['code']?.enum).toEqual(PROBLEM_CODES);
    const withheld = schemas['state']?.properties?.['withheld']?.items?.properties;
    expect(withheld?.['reason']?.enum).toEqual(WITHHELD_REASONS);
    const request = schemas['todo']?.oneOf?.find((variant) => variant.properties?.['kind']?.const === 'request');
    expect(request?.properties?.['reason']?.enum).toEqual(REQUEST_REASONS);
  });

  test('sets the limits that the code sets', () => {
    const { schemas } = components;
    const written = {
      csr: schemas['csr']?.properties?.['csr']?.maxLength,
      chain: schemas['certificate']?.oneOf?.[1]?.properties?.['chain']?.maxLength,
      names: schemas['names']?.maxItems,
      name: schemas['name']?.maxLength,
      addresses: schemas['hello']?.properties?.['addresses']?.maxItems,
      interface: schemas['hello']?.properties?.['addresses']?.items?.properties?.['interface']?.maxLength,
      id: schemas['id']?.maxLength,
      label: schemas['label']?.maxLength,
      message: schemas['problem']?.properties?.['message']?.maxLength,
      wait: schemas['seconds']?.maximum,
      url: schemas['revocation']?.properties?.['url']?.maxLength,
      nonce: schemas['revocation']?.properties?.['nonce']?.maxLength,
      jwsHeader: schemas['signedRevocation']?.properties?.['jws']?.properties?.['protected']?.maxLength,
      jwsPayload: schemas['signedRevocation']?.properties?.['jws']?.properties?.['payload']?.maxLength,
    };
    expect(written).toEqual({
      csr: LIMITS.bodyBytes,
      chain: LIMITS.chainCharacters,
      names: LIMITS.names,
      name: LIMITS.nameCharacters,
      addresses: LIMITS.addresses,
      interface: LIMITS.interfaceCharacters,
      id: LIMITS.idCharacters,
      label: LIMITS.labelCharacters,
      message: LIMITS.messageCharacters,
      wait: LIMITS.waitSeconds,
      url: LIMITS.urlCharacters,
      nonce: LIMITS.nonceCharacters,
      jwsHeader: LIMITS.jwsHeaderCharacters,
      jwsPayload: LIMITS.jwsPayloadCharacters,
    });
  });
});

describe.each(kinds)('%s', (kind) => {
  const message = components.messages[kind];
  const examples = message?.examples ?? [];

  test('the code reads every example, and knows every field in it', () => {
    for (const { payload } of examples) expect(readAndWrite(kind, payload)).toEqual(payload);
  });

  test('the examples show every field', () => {
    const shown = new Set(examples.flatMap(({ payload }) => fieldsOf(payload)));
    const known = allFields(schemaOf(kind));
    expect(known.filter((field) => !shown.has(field) && !isVariantField(kind, field))).toEqual([]);
  });

  test('no body that must be accepted has a field that the document does not know', () => {
    const file = z.object({ cases: z.array(z.object({ name: z.string(), outcome: z.string(), body: json })) });
    const { cases } = file.parse(JSON.parse(read(`test/vectors/protocol/${fileOf(kind)}.json`)));
    const known = new Set(allFields(schemaOf(kind)));
    const bodies = cases.filter(({ name, outcome }) => outcome === 'accepted' && !isTrial(name));
    expect(bodies.flatMap(({ body }) => fieldsOf(body)).filter((field) => !known.has(field))).toEqual([]);
  });

  test('every change of an example is accepted or refused as the schema says', () => {
    const wrong: string[] = [];
    let count = 0;
    for (const { payload } of examples) {
      for (const trial of trialsOf(schemaOf(kind), payload)) {
        count += 1;
        if (isAccepted(kind, trial.value) !== trial.isGood) {
          wrong.push(`${trial.what}: ${trial.isGood ? 'refused' : 'accepted'}`);
        }
      }
    }
    expect(count).toBeGreaterThan(4);
    expect(wrong).toEqual([]);
  });
});

describe('protocol.md', () => {
  const text = read('docs/protocol.md');

  test.each(kinds)('shows examples of %s that the code reads', (kind) => {
    const section = text.split(headingOf(kind))[1]?.split('\n##')[0] ?? '';
    const blocks = [...section.matchAll(/```json\n([^]*?)```/g)].map(([, block = '']) => json.parse(JSON.parse(block)));
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) expect(readAndWrite(kind, block)).toEqual(block);
  });

  test.each(kinds)('has a row for every field of %s', (kind) => {
    const section = text.split(headingOf(kind))[1]?.split('\n### ')[0] ?? '';
    const names = allFields(schemaOf(kind)).map((field) => field.split('.').at(-1)?.replace('[]', '') ?? '');
    const missing = names.filter((name) => name !== 'v' && !section.includes(`\`${name}`) && !section.includes(name));
    expect(missing).toEqual([]);
  });

  test('has the table of problems as the code has it', () => {
    const rows = [...text.matchAll(/^\| `([a-z-]+)` +\| (yes|no) +\| (.+?) +\|$/gm)];
    const written = rows.map(([, code, retryable, meaning]) => ({ code, retryable: retryable === 'yes', meaning }));
    const wanted = PROBLEM_CODES.map((code) => ({
      code,
      retryable: PROBLEMS[code].retryable,
      meaning: PROBLEMS[code].meaning,
    }));
    expect(written).toEqual(wanted);
  });

  test.each([LIMITS.bodyBytes, LIMITS.csrBytes, LIMITS.chainCharacters, LIMITS.waitSeconds])(
    'says the limit %d',
    (limit) => {
      expect(text).toContain(limit.toLocaleString('en-US'));
    },
  );
});

interface Trial {
  readonly what: string;
  readonly isGood: boolean;
  readonly value: unknown;
}

/** Variations of `value` that its schema allows or forbids, each with what it is. */
function trialsOf(given: Schema, value: unknown, path = 'the body'): readonly Trial[] {
  const wanted = resolve(given);
  if (wanted.oneOf) return trialsOf(variantFor(wanted.oneOf, value), value, path);
  const good = (what: string, changed: unknown): Trial => ({ what: `${path} ${what}`, isGood: true, value: changed });
  const bad = (what: string, changed: unknown): Trial => ({ what: `${path} ${what}`, isGood: false, value: changed });
  if (wanted.const !== undefined) return [bad('of another constant', 'other'), bad('of another number', 2)];
  if (wanted.enum) {
    return [...wanted.enum.map((each) => good(`being ${each}`, each)), bad('outside its list', 'something-else')];
  }
  switch (wanted.type) {
    case 'object':
      return [...objectTrials(wanted, json.parse(value), path), bad('being a text', 'text'), bad('being a list', [])];
    case 'array': {
      const items = z.array(z.unknown()).parse(value);
      const inner = items.flatMap((item, index) =>
        trialsOf(wanted.items ?? {}, item, `${path}[${index}]`).map((trial) => ({
          ...trial,
          value: items.with(index, trial.value),
        })),
      );
      const most = wanted.maxItems ?? 0;
      const fill = (count: number): unknown => Array.from({ length: count }, () => items[0]);
      const sizes = items.length === 0 ? [] : [good('at its limit', fill(most)), bad('over its limit', fill(most + 1))];
      return [...inner, ...sizes, good('empty', []), bad('being an object', {})];
    }
    case 'string':
      return [...textTrials(wanted, good, bad), bad('being a number', 7)];
    case 'integer': {
      const { minimum = 0, maximum = 0 } = wanted;
      const inside = [good('at its minimum', minimum), good('at its maximum', maximum)];
      return [...inside, bad('under it', minimum - 1), bad('over it', maximum + 1), bad('broken', minimum + 0.5)];
    }
    case 'boolean':
      return [good('true', true), good('false', false), bad('being a text', 'true')];
    default:
      throw new Error(`${path} has no type`);
  }
}

function objectTrials({ required = [], properties = {} }: Schema, value: Json, path: string): readonly Trial[] {
  const present = Object.keys(properties).filter((name) => value[name] !== undefined);
  const without = present.map((name) => {
    const { [name]: _gone, ...rest } = value;
    return { what: `${path} without ${name}`, isGood: !required.includes(name), value: rest };
  });
  const inner = present.flatMap((name) =>
    trialsOf(properties[name] ?? {}, value[name], `${path}.${name}`).map((trial) => ({
      ...trial,
      value: { ...value, [name]: trial.value },
    })),
  );
  return [...without, ...inner, { what: `${path} with one more`, isGood: true, value: { ...value, unheardOf: 1 } }];
}

function textTrials(
  { maxLength, pattern, contentEncoding }: Schema,
  good: (what: string, changed: unknown) => Trial,
  bad: (what: string, changed: unknown) => Trial,
): readonly Trial[] {
  if (contentEncoding === 'base64') {
    return [
      good('at its limit', ofBytes(LIMITS.csrBytes)),
      bad('over its limit', ofBytes(LIMITS.csrBytes + 1)),
      bad('not in base64', 'MII!'),
    ];
  }
  const matches = (text: string): boolean => pattern === undefined || new RegExp(pattern).test(text);
  const size = maxLength ?? 0;
  const atLimit = matches(filled(size)) && size > 0 ? [good('at its limit', filled(size))] : [];
  const over = [bad('over its limit', filled(size + 1))];
  return [...atLimit, ...over, ...(pattern === undefined ? [] : [bad('of another form', '!')])];
}

function ofBytes(count: number): string {
  return Buffer.alloc(count).toString('base64');
}

function filled(count: number): string {
  return 'a'.repeat(count);
}

function resolve(given: Schema): Schema {
  const target = given.$ref ?? given.allOf?.[0]?.$ref;
  if (target === undefined) return given;
  const found = components.schemas[target.replace('#/components/schemas/', '')];
  if (found === undefined) throw new Error(`${target} leads nowhere`);
  return resolve(found);
}

function variantFor(variants: readonly Schema[], value: unknown): Schema {
  const kind = json.parse(value)['kind'];
  const found = variants.find((variant) => variant.properties?.['kind']?.const === kind);
  if (found === undefined) throw new Error(`no variant for ${String(kind)}`);
  return found;
}

/** Every field with the way to it, such as `addresses[].interface`. */
function allFields(given: Schema, path = ''): readonly string[] {
  const { oneOf, properties = {}, items } = resolve(given);
  if (oneOf) return [...new Set(oneOf.flatMap((variant) => allFields(variant, path)))];
  if (items) return allFields(items, `${path}[]`);
  return Object.entries(properties).flatMap(([name, inner]) => {
    const field = path === '' ? name : `${path}.${name}`;
    return [field, ...allFields(inner, field)];
  });
}

function fieldsOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(item, `${path}[]`));
  const fields = json.safeParse(value);
  if (!fields.success) return [];
  return Object.entries(fields.data).flatMap(([name, inner]) => {
    const field = path === '' ? name : `${path}.${name}`;
    return [field, ...fieldsOf(inner, field)];
  });
}

/** Two examples cannot show all four kinds of `todo`. */
function isVariantField(kind: Body, field: string): boolean {
  return kind === 'state' && field === 'todo.keyHash';
}

function schemaOf(kind: Body): Schema {
  expect(components.messages[kind]?.payload.$ref).toBe(`#/components/schemas/${kind}`);
  return components.schemas[kind] ?? {};
}

/** A vector that carries a foreign field on purpose. */
function isTrial(name: string): boolean {
  return name.includes('unknown fields') || name.includes('ignored');
}

function isAccepted(kind: Body, body: unknown): boolean {
  return readAndWrite(kind, body) !== undefined;
}

/** What the code makes of a body: read from bytes and written again; undefined when it is refused. */
function readAndWrite(kind: Body, body: unknown): unknown {
  const decoded = decodeBody(Buffer.from(JSON.stringify(body)));
  if (!decoded.ok) return undefined;
  const up = upKind(kind);
  if (up !== undefined) {
    const parsed = parseUp(up, decoded.value);
    return parsed.ok ? JSON.parse(encodeUp(parsed.value).toString()) : undefined;
  }
  const parsed = parseDown(downKind(kind), decoded.value);
  return parsed.ok ? JSON.parse(encodeDown(parsed.value).toString()) : undefined;
}

function upBody(kind: UpKind): Body {
  return kind === 'revocation' ? 'signedRevocation' : kind;
}

function upKind(body: Body): UpKind | undefined {
  return UP_KINDS.find((kind) => upBody(kind) === body);
}

function downKind(body: Body): DownKind {
  const found = DOWN_KINDS.find((kind) => kind === body);
  if (found === undefined) throw new Error(`${body} does not go down`);
  return found;
}

function isUp(body: Body): boolean {
  return upKind(body) !== undefined;
}

function topicOf(body: Body): string {
  const up = upKind(body);
  return up === undefined ? downTopic('device-1', downKind(body)) : upTopic('device-1', up);
}

function headingOf(body: Body): string {
  const up = upKind(body);
  return up === undefined ? `### ${body} (down)` : `### ${up} (up)`;
}

function fileOf(body: Body): string {
  return body === 'signedRevocation' ? 'signed-revocation' : body;
}

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
