import { LanyardError } from '@lanyard/sdk/kernel';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHALLENGE_KINDS } from '../certificates/challenge-kind.ts';
import { parseAuthorization } from './authorization-document.ts';
import { parseChain } from './chain-document.ts';
import { parseDirectory } from './directory.ts';
import { CHAIN, TOKEN } from './hostile-ca.ts';
import { parseOrder } from './order-document.ts';
import { parseRenewalInfo } from './renewal-info-document.ts';

const directory = {
  newNonce: 'https://ca.example/nonce',
  newAccount: 'https://ca.example/account',
  newOrder: 'https://ca.example/order',
};
const order = {
  status: 'pending',
  authorizations: ['https://ca.example/authz/1'],
  finalize: 'https://ca.example/finalize/1',
};
const challenge = { type: 'dns-01', url: 'https://ca.example/challenge/1', token: TOKEN };
const authorization = {
  status: 'pending',
  identifier: { type: 'dns', value: 'A.Devices.Example' },
  challenges: [{ type: 'http-01' }, challenge],
};

const window = { start: '2026-11-23T00:00:00Z', end: '2026-11-24T00:00:00+00:00' };
const renewalInfo = { suggestedWindow: window, explanationURL: 'https://ca.example/incident' };

const asRenewalInfo = (document: unknown) => parseRenewalInfo(document, undefined);
const asOrder = (document: unknown) => parseOrder(document, 'https://ca.example/order/1', undefined);
const refused = expect.objectContaining({ code: 'authority-protocol' });

describe('a directory', () => {
  test('is read', () => {
    const document = { ...directory, renewalInfo: 'https://ca.example/ari', meta: { profiles: { classic: 'x' } } };
    const { renewalInfo: renewalInfoUrl } = document;
    expect(parseDirectory(document)).toMatchObject({ document, renewalInfoUrl, profiles: ['classic'] });
    expect(parseDirectory(directory)).toMatchObject({ renewalInfoUrl: undefined, profiles: [] });
  });

  test.each([
    ['https://ca.example/ari/', 'https://ca.example/ari'],
    ['https://ca.example', 'https://ca.example'],
    ['http://ca.example/ari', undefined],
    [7, undefined],
  ])('with renewal information at %j', (written, renewalInfoUrl) => {
    expect(parseDirectory({ ...directory, renewalInfo: written }).renewalInfoUrl).toBe(renewalInfoUrl);
  });

  test.each([
    undefined,
    '<html>',
    [],
    {},
    { ...directory, newNonce: undefined },
    { ...directory, newOrder: 'http://ca.example/order' },
    { ...directory, meta: 'x' },
  ])('%j is refused', (document) => {
    expect(() => parseDirectory(document)).toThrow(refused);
  });
});

describe('an order', () => {
  test('is read', () => {
    const error = { type: 'urn:ietf:params:acme:error:dns', detail: 'no TXT' };
    const document = { ...order, status: 'invalid', error, certificate: 7 };
    expect(parseOrder(document, 'https://ca.example/order/1', 3_000)).toEqual({
      url: 'https://ca.example/order/1',
      status: 'invalid',
      authorizationUrls: order.authorizations,
      finalizeUrl: order.finalize,
      problem: error,
      retryAfterMs: 3_000,
    });
  });

  test.each([
    { ...order, status: 'deactivated' },
    { ...order, status: 'valid' },
    { ...order, finalize: 'ftp://ca.example/' },
    { ...order, authorizations: [] },
    { ...order, authorizations: 'https://ca.example/authz/1' },
    { ...order, authorizations: ['https://ca.example/authz/1', 7] },
    { ...order, authorizations: Array.from({ length: 101 }, () => 'https://ca.example/authz/1') },
  ])('that makes no sense is refused (%#)', (document) => {
    expect(() => asOrder(document)).toThrow(refused);
  });
});

describe('an authorization', () => {
  test('is read', () => {
    const error = { type: 'urn:ietf:params:acme:error:dns', detail: 'no TXT' };
    const document = { ...authorization, status: 'invalid', challenges: [{ ...challenge, error }] };
    expect(parseAuthorization(document, 'dns-01')).toEqual({
      name: 'a.devices.example',
      isWildcard: false,
      status: 'invalid',
      challenge: { url: challenge.url, token: TOKEN, issuer: '' },
      problem: error,
    });
  });

  const persistent = {
    type: 'dns-persist-01',
    url: 'https://ca.example/challenge/2',
    'issuer-domain-names': ['ca.example', 'other.example'],
  };
  const offered = [
    challenge,
    persistent,
    { ...challenge, type: 'dns-account-01', url: 'https://ca.example/challenge/3' },
    { ...challenge, type: 'http-01', url: 'https://ca.example/challenge/4' },
  ];

  test.each([
    ['dns-01', { url: challenge.url, token: TOKEN, issuer: '' }],
    ['dns-persist-01', { url: persistent.url, token: '', issuer: 'ca.example' }],
    ['dns-account-01', { url: 'https://ca.example/challenge/3', token: TOKEN, issuer: '' }],
    ['http-01', { url: 'https://ca.example/challenge/4', token: TOKEN, issuer: '' }],
  ] as const)('shows the challenge of the kind that is asked for: %s', (kind, expected) => {
    expect(parseAuthorization({ ...authorization, challenges: offered }, kind).challenge).toEqual(expected);
  });

  test.each(CHALLENGE_KINDS)('without %s has no challenge for us', (kind) => {
    const others = offered.filter(({ type }) => type !== kind);
    expect(parseAuthorization({ ...authorization, challenges: others }, kind).challenge).toBeUndefined();
  });

  test('of a wildcard says so', () => {
    expect(parseAuthorization({ ...authorization, wildcard: true }, 'dns-01').isWildcard).toBe(true);
  });

  test.each([
    undefined,
    [],
    'ca.example',
    [7],
    [''],
    ['ca.example; policy=wildcard'],
    ['a..example'],
    ['ca.example\n'],
  ])('of dns-persist-01 whose issuers are %j is refused', (names) => {
    const challenges = [{ ...persistent, 'issuer-domain-names': names }];
    expect(() => parseAuthorization({ ...authorization, challenges }, 'dns-persist-01')).toThrow(refused);
  });

  test.each([
    { ...authorization, status: 'ready' },
    { ...authorization, identifier: { type: 'ip', value: '10.1.1.4' } },
    { ...authorization, identifier: { type: 'dns', value: 'a..example' } },
    { ...authorization, identifier: { type: 'dns', value: 'a.example\n' } },
    { ...authorization, identifier: { type: 'dns', value: `${'a.'.repeat(200)}example` } },
    { ...authorization, challenges: {} },
    { ...authorization, challenges: [{ ...challenge, token: 'short' }] },
    { ...authorization, challenges: [{ ...challenge, token: `${TOKEN}.` }] },
    { ...authorization, challenges: [{ ...challenge, url: '/challenge' }] },
  ])('that makes no sense is refused (%#)', (document) => {
    expect(() => parseAuthorization(document, 'dns-01')).toThrow(refused);
  });
});

describe('renewal information', () => {
  test('is read', () => {
    expect(parseRenewalInfo(renewalInfo, 21_600_000)).toEqual({
      window: { startMs: Date.UTC(2026, 10, 23), endMs: Date.UTC(2026, 10, 24) },
      explanationUrl: 'https://ca.example/incident',
      retryAfterMs: 21_600_000,
    });
    expect(Object.keys(asRenewalInfo({ suggestedWindow: window }))).toEqual(['window']);
  });

  test.each([
    'http://ca.example/',
    'http://127.0.0.1/',
    'javascript:alert(1)',
    'https://user:password@ca.example/',
    `https://ca.example/${'x'.repeat(1_000)}`,
    `https://ca.example/${'ü'.repeat(400)}`,
    '/incident',
    7,
    null,
  ])('is read without an explanation that nobody should open (%#)', (explanationURL) => {
    expect(asRenewalInfo({ ...renewalInfo, explanationURL }).explanationUrl).toBeUndefined();
  });

  test.each([
    undefined,
    '<html>',
    [],
    {},
    { suggestedWindow: [] },
    { suggestedWindow: { start: window.start } },
    { suggestedWindow: { end: window.end } },
    { suggestedWindow: { start: window.end, end: window.start } },
    { suggestedWindow: { start: window.start, end: window.start } },
    { suggestedWindow: { ...window, start: '2026-11-23T00:00:00' } },
    { suggestedWindow: { ...window, start: '0001-01-01T00:00:00Z' } },
    { suggestedWindow: { ...window, end: '10000-01-01T00:00:00Z' } },
    { suggestedWindow: { ...window, end: Date.UTC(2026, 10, 24) } },
  ])('that makes no sense is refused (%#)', (document) => {
    expect(() => asRenewalInfo(document)).toThrow(refused);
  });
});

describe('a chain', () => {
  test('is passed on as the CA gave it, explanatory text included', () => {
    expect(parseChain(`subject: leaf\n${CHAIN}`)).toBe(`subject: leaf\n${CHAIN}`);
  });

  test.each([
    '',
    '<html>',
    {},
    CHAIN.repeat(6),
    `${CHAIN}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
  ])('that holds anything but a few certificates is refused (%#)', (document) => {
    expect(() => parseChain(document)).toThrow(refused);
  });
});

test.each([
  ['directory', parseDirectory, directory],
  ['order', asOrder, order],
  ...CHALLENGE_KINDS.map(
    (kind) =>
      [`authorization (${kind})`, (document: unknown) => parseAuthorization(document, kind), authorization] as const,
  ),
  ['renewal information', asRenewalInfo, renewalInfo],
  ['window of renewal information', (document: unknown) => asRenewalInfo({ suggestedWindow: document }), window],
] as const)('a %s with any member replaced by anything is read or refused, never a crash', (_what, parse, sound) => {
  const anything = fc.anything({ maxDepth: 3 });
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(sound)), anything, (member, value) => {
      expect(['read', 'authority-protocol']).toContain(outcome(() => parse({ ...sound, [member]: value })));
    }),
  );
});

function outcome(parse: () => unknown): string {
  try {
    parse();
    return 'read';
  } catch (error) {
    return LanyardError.is(error) ? error.code : 'a crash';
  }
}
