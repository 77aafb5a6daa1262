/** Every message: there and back, and refused when a field is wrong. */
import { anything, assert, constantFrom, dictionary, jsonValue, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBody } from './body.ts';
import { encodeDown, parseDown } from './down-message.ts';
import type { DownMessage } from './down-message.ts';
import { LIMITS } from './limits.ts';
import { isProblemCode, PROBLEM_CODES } from './problems.ts';
import type { Parsed } from './shape.ts';
import { DOWN_KINDS, UP_KINDS } from './topics.ts';
import { encodeUp, parseUp } from './up-message.ts';
import type { UpMessage } from './up-message.ts';

const HASH = 'ab'.repeat(32);
const NAMES = ['box.devices.example', '*.box.devices.example'];
const AT = Date.UTC(2026, 10, 22, 12, 30, 15, 250);

const UP: { readonly [K in UpMessage['kind']]: readonly Extract<UpMessage, { kind: K }>[] } = {
  hello: [
    {
      kind: 'hello',
      hello: { id: 'h1', bootId: 'b1', clockMs: 0, addresses: [], sdkVersion: '0.1.0', rebinding: 'unknown' },
    },
    {
      kind: 'hello',
      hello: {
        id: 'h2',
        bootId: 'b2',
        clockMs: AT,
        addresses: [
          { address: '10.1.1.4', interface: 'eth0', isDefaultRoute: true },
          { address: 'fd00::4', interface: 'Ethernet 2', isDefaultRoute: false },
        ],
        certificate: { fingerprint: HASH, notAfterMs: AT, keyHash: HASH },
        pendingKeyHash: HASH,
        sdkVersion: '0.1.0',
        firmwareVersion: '7.2 (build 9)',
        model: 'NAS 4',
        rebinding: 'blocked',
      },
    },
  ],
  csr: [{ kind: 'csr', csr: { id: 'c1', der: Uint8Array.from([0x30, 0x03, 1, 2, 3]) } }],
  installed: [{ kind: 'installed', installed: { id: 'i1', fingerprint: HASH } }],
  bye: [{ kind: 'bye', bye: { id: 'y1', bootId: 'b1', reason: 'checked-in' } }],
  revocation: [
    {
      kind: 'revocation',
      revocation: { id: 'r1', jws: { protected: 'e30', payload: 'e30', signature: 'A'.repeat(86) } },
    },
  ],
};

const STATE = {
  serverTimeMs: AT,
  names: NAMES,
  published: ['10.1.1.4'],
  withheld: [{ address: '127.0.0.1', reason: 'never-published' }],
  mode: 'resident',
  nextCheckInSeconds: 21_600,
  reconnectSpreadSeconds: 300,
} as const;

const DOWN: { readonly [K in DownMessage['kind']]: readonly Extract<DownMessage, { kind: K }>[] } = {
  state: [
    { kind: 'state', state: { ...STATE, id: 'h1', todo: { kind: 'nothing' } } },
    { kind: 'state', state: { ...STATE, todo: { kind: 'request', reason: 'renewal' } } },
    { kind: 'state', state: { ...STATE, todo: { kind: 'wait', keyHash: HASH } } },
    { kind: 'state', state: { ...STATE, mode: 'checkin', todo: { kind: 'install', fingerprint: HASH } } },
  ],
  certificate: [
    { kind: 'certificate', certificate: { kind: 'accepted', id: 'c1', keyHash: HASH, etaSeconds: 30 } },
    {
      kind: 'certificate',
      certificate: {
        kind: 'issued',
        chain: 'PEM',
        fingerprint: HASH,
        keyHash: HASH,
        names: NAMES,
        notAfterMs: AT,
        renewAtMs: AT - 1000,
      },
    },
  ],
  problem: [
    {
      kind: 'problem',
      problem: { id: 'c1', code: 'busy', message: 'later', retryable: true, retryAfterSeconds: 60, ref: 'r1' },
    },
    { kind: 'problem', problem: { code: 'bad-request', message: 'no', retryable: false, ref: 'r2' } },
  ],
  revocation: [
    { kind: 'revocation', wish: { id: 'r1', fingerprint: HASH, url: 'https://ca.example/revoke', nonce: 'n-_1' } },
  ],
};

describe('there and back', () => {
  test.each(Object.values(UP).flat())('$kind', (message) => {
    const body = bodyOf(encodeUp(message));
    expect(parseUp(message.kind, body)).toEqual({ ok: true, value: message });
    expect(parseUp(message.kind, { ...body, addedLater: [1] })).toEqual({ ok: true, value: message });
  });

  test.each(Object.values(DOWN).flat())('$kind', (message) => {
    const body = bodyOf(encodeDown(message));
    expect(parseDown(message.kind, body)).toEqual({ ok: true, value: message });
    expect(parseDown(message.kind, { ...body, addedLater: [1] })).toEqual({ ok: true, value: message });
  });
});

describe('refused, naming the field', () => {
  const hello = bodyOf(encodeUp(UP.hello[1]!));
  const state = bodyOf(encodeDown(DOWN.state[0]!));
  const issued = bodyOf(encodeDown(DOWN.certificate[1]!));
  const problem = bodyOf(encodeDown(DOWN.problem[0]!));
  const wish = bodyOf(encodeDown(DOWN.revocation[0]!));

  test.each([
    ['id', { id: 'with space' }],
    ['id', { id: undefined }],
    ['bootId', { bootId: '' }],
    ['clock', { clock: '2026-11-22' }],
    ['clock', { clock: '2026-13-45T00:00:00Z' }],
    ['clock', { clock: 0 }],
    ['addresses', { addresses: {} }],
    ['addresses', { addresses: Array.from({ length: LIMITS.addresses + 1 }, () => ({})) }],
    ['addresses[0].address', { addresses: [{ address: 'box.local', interface: 'e', isDefaultRoute: true }] }],
    ['addresses[0].interface', { addresses: [{ address: '::1', interface: 'e'.repeat(65), isDefaultRoute: true }] }],
    ['addresses[0].isDefaultRoute', { addresses: [{ address: '::1', interface: 'e', isDefaultRoute: 1 }] }],
    [
      'certificate.fingerprint',
      { certificate: { fingerprint: 'AB', notAfter: '2026-11-22T00:00:00Z', keyHash: HASH } },
    ],
    ['pendingKeyHash', { pendingKeyHash: HASH.toUpperCase() }],
    ['model', { model: 'm'.repeat(65) }],
    ['rebinding', { rebinding: 'maybe' }],
  ])('hello: %s', (field, change) => {
    expect(refusedAt(parseUp('hello', { ...hello, ...change }))).toBe(field);
  });

  test.each([
    ['csr', { csr: 'not base64!' }],
    ['csr', { csr: 'AAA' }],
    ['csr', { csr: Buffer.alloc(LIMITS.csrBytes + 1).toString('base64') }],
    ['csr', {}],
  ])('csr: %s', (field, change) => {
    expect(refusedAt(parseUp('csr', { v: 1, id: 'c1', ...change }))).toBe(field);
  });

  test.each([
    ['serverTime', { serverTime: 'now' }],
    ['names', { names: Array.from({ length: LIMITS.names + 1 }, () => 'a.example') }],
    ['names[0]', { names: ['UPPER.example'] }],
    ['names[0]', { names: ['a..example'] }],
    ['names[0]', { names: ['a.*.example'] }],
    ['names[0]', { names: [`${'a.'.repeat(126)}example`] }],
    ['withheld[0].reason', { withheld: [{ address: '::1', reason: 'because' }] }],
    ['nextCheckInSeconds', { nextCheckInSeconds: 0 }],
    ['nextCheckInSeconds', { nextCheckInSeconds: LIMITS.waitSeconds + 1 }],
    ['reconnectSpreadSeconds', { reconnectSpreadSeconds: 1.5 }],
    ['todo', { todo: 'nothing' }],
    ['todo.kind', { todo: { kind: 'dance' } }],
    ['todo.kind', { todo: { kind: 'toString' } }],
    ['todo.reason', { todo: { kind: 'request', reason: 'whim' } }],
    ['todo.keyHash', { todo: { kind: 'wait' } }],
  ])('state: %s', (field, change) => {
    expect(refusedAt(parseDown('state', { ...state, ...change }))).toBe(field);
  });

  test.each([
    ['kind', { kind: 'promised' }],
    ['chain', { chain: 'x'.repeat(LIMITS.chainCharacters + 1) }],
    ['fingerprint', { fingerprint: HASH.slice(1) }],
    ['notAfter', { notAfter: null }],
  ])('certificate: %s', (field, change) => {
    expect(refusedAt(parseDown('certificate', { ...issued, ...change }))).toBe(field);
  });

  test.each([
    ['code', { code: 'teapot' }],
    ['code', { code: 'constructor' }],
    ['message', { message: 'm'.repeat(LIMITS.messageCharacters + 1) }],
    ['retryable', { retryable: 'yes' }],
    ['retryAfterSeconds', { retryAfterSeconds: -1 }],
    ['ref', { ref: undefined }],
  ])('problem: %s', (field, change) => {
    expect(refusedAt(parseDown('problem', { ...problem, ...change }))).toBe(field);
  });

  test.each([
    ['fingerprint', { fingerprint: HASH.slice(1) }],
    ['url', { url: 'http://ca.example/revoke' }],
    ['url', { url: 'https://' }],
    ['url', { url: 'https://ca.example/a b' }],
    ['url', { url: 'https://ca.example/"' }],
    ['url', { url: `https://${'a'.repeat(LIMITS.urlCharacters)}` }],
    ['nonce', { nonce: '' }],
    ['nonce', { nonce: 'n+1' }],
    ['nonce', { nonce: 'n\n' }],
    ['nonce', { nonce: 'n'.repeat(LIMITS.nonceCharacters + 1) }],
  ])('revocation, down: %s', (field, change) => {
    expect(refusedAt(parseDown('revocation', { ...wish, ...change }))).toBe(field);
  });

  test.each([
    ['jws.protected', { protected: '' }],
    ['jws.protected', { protected: 'a'.repeat(LIMITS.jwsHeaderCharacters + 1) }],
    ['jws.payload', { payload: 'e30=' }],
    ['jws.payload', { payload: 'a'.repeat(LIMITS.jwsPayloadCharacters + 1) }],
    ['jws.signature', { signature: 'A'.repeat(85) }],
    ['jws.signature', { signature: undefined }],
  ])('revocation, up: %s', (field, change) => {
    const jws = { protected: 'e30', payload: 'e30', signature: 'A'.repeat(86), ...change };
    expect(refusedAt(parseUp('revocation', { v: 1, id: 'r1', jws }))).toBe(field);
  });
});

test('the longest chain fits into one body beside two names of full length', () => {
  const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`;
  const line = `${'x'.repeat(64)}\n`;
  const chain = line.repeat(LIMITS.chainCharacters).slice(0, LIMITS.chainCharacters);
  const facts = { fingerprint: HASH, keyHash: HASH, notAfterMs: AT, renewAtMs: AT };
  const certificate = { kind: 'issued', id: 'c'.repeat(64), chain, names: [name, `*.${name}`], ...facts } as const;
  const payload = encodeDown({ kind: 'certificate', certificate });
  expect(parseDown('certificate', bodyOf(payload))).toMatchObject({ ok: true });
});

test('nothing that is parsed makes a parser throw', () => {
  const key = constantFrom('v', 'id', 'kind', 'todo', 'names', 'addresses', 'certificate', 'csr', '__proto__', 'code');
  const body = oneof(anything(), jsonValue(), dictionary(oneof(key, string()), jsonValue()));
  assert(
    property(body, constantFrom(...UP_KINDS), constantFrom(...DOWN_KINDS), (value, up, down) => {
      return typeof parseUp(up, value).ok === 'boolean' && typeof parseDown(down, value).ok === 'boolean';
    }),
    { numRuns: 1000 },
  );
});

test('a field that is broken in any way is refused or read, never thrown over', () => {
  const bodies = Object.values(DOWN).flat();
  assert(
    property(constantFrom(...bodies), string(), jsonValue(), (message, at, value) => {
      const body = bodyOf(encodeDown(message));
      const keys = Object.keys(body);
      const key = keys[at.length % keys.length] ?? 'id';
      return typeof parseDown(message.kind, { ...body, [key]: value }).ok === 'boolean';
    }),
    { numRuns: 1000 },
  );
});

test('the problem codes are a closed list', () => {
  expect(PROBLEM_CODES).toContain('key-reused');
  expect(isProblemCode('hasOwnProperty')).toBe(false);
});

function bodyOf(payload: Uint8Array): Readonly<Record<string, unknown>> {
  const body = decodeBody(payload);
  if (!body.ok) throw new Error(body.message);
  return body.value;
}

/** The field that a refusal names. */
function refusedAt(parsed: Parsed<unknown>): string | undefined {
  return parsed.ok ? 'it was read' : parsed.message.split(' ')[0];
}
