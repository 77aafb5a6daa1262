import { createHash } from 'node:crypto';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { crypto, setLogger } from 'acme-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AcmeAuthority } from './acme-authority.ts';
import { AuthorityRig, failure, misbehaveAt } from './authority-rig.ts';
import { CHAIN, TOKEN, problem } from './hostile-ca.ts';
import type { Fault } from './hostile-ca.ts';

const names = ['a1b2c3.devices.example'];
const never = new AbortController().signal;

let rig: AuthorityRig;
let clock: VirtualClock;

beforeEach(async () => {
  clock = new VirtualClock();
  rig = new AuthorityRig({ clock });
  await rig.start();
});
afterEach(() => rig.stop());

async function signingRequest(): Promise<Uint8Array> {
  const [, pem] = await crypto.createCsr({ altNames: names }, await crypto.createPrivateEcdsaKey());
  return Buffer.from(pem.toString().replaceAll(/-----[^-]+-----/g, ''), 'base64');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** One certificate, the way the order machine gets it, without its pauses. */
async function issue(authority: AcmeAuthority, csr: Uint8Array): Promise<string> {
  const order = await authority.newOrder({ names }, never);
  for (const url of order.authorizationUrls) {
    const { challenge } = await authority.authorization(url, never);
    await authority.trigger(challenge!.url, never);
  }
  await authority.order(order.url, never);
  await authority.finalize(order.finalizeUrl, csr, never);
  const { certificateUrl } = await authority.order(order.url, never);
  return authority.certificate(certificateUrl!, never);
}

describe('a certificate', () => {
  test('costs seven requests over a few kept connections', async () => {
    const authority = await rig.started();
    const before = rig.ca.received.length;
    expect(await issue(authority, await signingRequest())).toBe(CHAIN);
    // acme-client alone sends a HEAD before each of them, on a connection of its own: 14 requests, 14 handshakes.
    expect(rig.ca.log.slice(before)).toEqual([
      'POST /new-order',
      'POST /authz/0',
      'POST /challenge/0',
      'POST /order/0',
      'POST /finalize/0',
      'POST /order/0',
      'POST /certificate/0',
    ]);
    // A connection is free again a moment after its answer was read, hence not always one.
    expect(rig.ca.connections).toBeLessThanOrEqual(3);
  });

  test('comes while three in ten nonces are refused', async () => {
    const authority = await rig.started();
    const csr = await signingRequest();
    let posts = 0;
    // Ten in a fixed order, so that the sixth refusal in a row cannot happen by chance.
    rig.ca.mischief = ({ method }) => (method === 'POST' && [1, 4, 5].includes(posts++ % 10) ? 'bad-nonce' : undefined);
    for (let round = 0; round < 10; round += 1) expect(await issue(authority, csr)).toBe(CHAIN);
  });

  test('comes from eight orders at once, each nonce used once', async () => {
    const authority = await rig.started();
    const csr = await signingRequest();
    await Promise.all(Array.from({ length: 8 }, () => issue(authority, csr)));
    const heads = rig.ca.log.filter((line) => line.startsWith('HEAD')).length;
    // The CA refuses used nonces: nothing was refused, or more than seven POSTs each would have come.
    expect(rig.ca.log.filter((line) => line.startsWith('POST')).length).toBe(1 + 8 * 7);
    expect(heads).toBeLessThanOrEqual(8);
  });
});

describe('what the order machine sees', () => {
  test('is an order with its URLs and what the CA wants waited for', async () => {
    const authority = await rig.started();
    const order = await authority.newOrder({ names }, never);
    expect(order).toEqual({
      url: rig.ca.url('/order/0'),
      status: 'pending',
      authorizationUrls: [rig.ca.url('/authz/0')],
      finalizeUrl: rig.ca.url('/finalize/0'),
    });
    rig.ca.mischief = (request, honest) => {
      return request.path === '/order/0' ? { ...honest(), headers: { 'retry-after': '7' } } : undefined;
    };
    expect(await authority.order(order.url, never)).toEqual({ ...order, retryAfterMs: 7_000 });
  });

  test('is the TXT record of RFC 8555 §8.4', async () => {
    const authority = await rig.started();
    const order = await authority.newOrder({ names: [`*.${names[0]}`] }, never);
    const { name, challenge } = await authority.authorization(order.authorizationUrls[0]!, never);
    expect(name).toBe(names[0]);
    expect(challenge?.record.name).toBe(`_acme-challenge.${names[0]}`);
    const { crv, kty, x, y } = JSON.parse([...rig.ca.accounts.values()][0]!);
    const thumbprint = digest(JSON.stringify({ crv, kty, x, y }));
    expect(challenge?.record.value).toBe(digest(`${TOKEN}.${thumbprint}`));
  });

  test.each([
    ['dns-01', 'txt', /^_acme-challenge\.a1b2c3\./, /^[\w-]{43}$/],
    ['dns-account-01', 'txt', /^_[a-z2-7]{16}\._acme-challenge\.a1b2c3\./, /^[\w-]{43}$/],
    ['dns-persist-01', 'txt', /^_validation-persist\.a1b2c3\./, /^ca\.example; accounturi=http[^;]+$/],
    ['http-01', 'http', /^a1b2c3\./, new RegExp(`^${TOKEN}\\.[\\w-]{43}$`)],
  ] as const)('is the record of the kind that is asked for: %s', async (challenge, kind, name, value) => {
    const authority = await rig.started({ challenge });
    const order = await authority.newOrder({ names }, never);
    rig.ca.mischief = (request, honest) => {
      if (!request.path.startsWith('/authz')) return undefined;
      const { status, body } = honest();
      const shared = { status: 'pending', url: rig.ca.url('/challenge/0') };
      const tokened = ['dns-01', 'dns-account-01', 'http-01'].map((type) => ({ ...shared, type, token: TOKEN }));
      const persistent = { ...shared, type: 'dns-persist-01', 'issuer-domain-names': ['ca.example'] };
      return { status, body: { ...Object(body), challenges: [persistent, ...tokened] } };
    };
    const read = await authority.authorization(order.authorizationUrls[0]!, never);
    const record = { kind, name: expect.stringMatching(name), value: expect.stringMatching(value) };
    expect(read).toMatchObject({ challengeKind: challenge, challenge: { url: rig.ca.url('/challenge/0'), record } });
  });

  test('is no challenge when the CA does not offer the kind that is asked for', async () => {
    const authority = await rig.started({ challenge: 'dns-account-01' });
    const order = await authority.newOrder({ names }, never);
    const read = await authority.authorization(order.authorizationUrls[0]!, never);
    expect(read).toMatchObject({ status: 'pending', challengeKind: 'dns-account-01' });
    expect(read.challenge).toBeUndefined();
  });

  test('is why an order and its authorization failed', async () => {
    const authority = await rig.started();
    const order = await authority.newOrder({ names }, never);
    const error = { type: 'urn:ietf:params:acme:error:dns', detail: 'NXDOMAIN' };
    rig.ca.mischief = (request, honest) => {
      const { status, body } = honest();
      if (request.path === '/order/0') return { status, body: { ...Object(body), status: 'invalid', error } };
      const challenges = [{ type: 'dns-01', url: rig.ca.url('/challenge/0'), token: TOKEN, error }];
      return { status, body: { ...Object(body), status: 'invalid', challenges } };
    };
    expect(await authority.order(order.url, never)).toMatchObject({ status: 'invalid', problem: error });
    expect(await authority.authorization(order.authorizationUrls[0]!, never)).toMatchObject({
      status: 'invalid',
      problem: error,
    });
  });

  test('is the order’s own URL after finalize, although the CA does not repeat it', async () => {
    const authority = await rig.started();
    const order = await authority.newOrder({ names }, never);
    await authority.trigger(rig.ca.url('/challenge/0'), never);
    await authority.order(order.url, never);
    expect(await authority.finalize(order.finalizeUrl, await signingRequest(), never)).toMatchObject({
      url: order.url,
      status: 'processing',
      retryAfterMs: 3_000,
    });
  });

  test('is a challenge that may be triggered again', async () => {
    const authority = await rig.started();
    await authority.newOrder({ names }, never);
    await authority.trigger(rig.ca.url('/challenge/0'), never);
    await authority.trigger(rig.ca.url('/challenge/0'), never);
    rig.ca.mischief = misbehaveAt('/challenge/1', problem(400, 'malformed', 'no'), 1);
    await authority.newOrder({ names }, never);
    await expect(authority.trigger(rig.ca.url('/challenge/1'), never)).rejects.toMatchObject({
      code: 'authority-refused',
    });
  });

  test('is an order lost when the CA does not know it', async () => {
    const authority = await rig.started();
    await expect(authority.order(rig.ca.url('/order/99'), never)).rejects.toMatchObject({
      code: 'authority-order-lost',
    });
  });
});

describe('a misbehaving CA', () => {
  const faults: readonly (readonly [string, Fault, ErrorCode, number | undefined])[] = [
    [
      'over its limit',
      { ...problem(429, 'rateLimited', 'slow down'), headers: { 'retry-after': '3600' } },
      'authority-rate-limited',
      3_600_000,
    ],
    [
      'busy',
      { status: 503, headers: { 'retry-after': '30' }, body: '<html>busy</html>' },
      'authority-rate-limited',
      30_000,
    ],
    ['busy without saying how long', { status: 503 }, 'authority-rate-limited', undefined],
    ['broken', problem(500, 'serverInternal', 'oops'), 'authority-unreachable', undefined],
    ['behind a broken proxy', { status: 502, body: '<html>' }, 'authority-unreachable', undefined],
    ['cutting connections', 'cut', 'authority-unreachable', undefined],
    ['sending HTML as success', { status: 201, body: '<html>' }, 'authority-protocol', undefined],
    ['sending nothing as success', { status: 201 }, 'authority-protocol', undefined],
    ['sending a list as success', { status: 201, body: [] }, 'authority-protocol', undefined],
    ['sending an order without its URL', { status: 201, body: { status: 'pending' } }, 'authority-protocol', undefined],
    [
      'sending an empty order',
      { status: 201, headers: { location: '/order/0' }, body: {} },
      'authority-protocol',
      undefined,
    ],
    [
      'sending the wrong status',
      { status: 202, headers: { location: '/order/0' }, body: {} },
      'authority-protocol',
      undefined,
    ],
    ['redirecting', { status: 307, headers: { location: '/other' } }, 'authority-protocol', undefined],
    ['sending a huge answer', { status: 201, body: 'x'.repeat(2 ** 21) }, 'authority-protocol', undefined],
    ['sending a shapeless problem', { status: 400, body: { type: 7, detail: {} } }, 'authority-protocol', undefined],
    ['refusing in HTML', { status: 403, body: '<html>' }, 'authority-protocol', undefined],
    ['refusing the name', problem(403, 'rejectedIdentifier', 'policy'), 'authority-rejected-name', undefined],
    ['refusing every nonce', 'bad-nonce', 'authority-protocol', undefined],
  ];
  test.each(faults)('%s is answered by one typed error', async (_what, fault, code, retryAfterMs) => {
    const authority = await rig.started();
    rig.ca.mischief = misbehaveAt('/new-order', fault);
    const before = rig.ca.log.length;
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code, retryAfterMs });
    // No retries but the five re-signings after refused nonces.
    const posts = rig.ca.log.slice(before).filter((line) => line === 'POST /new-order').length;
    expect(posts).toBe(fault === 'bad-nonce' ? 6 : 1);
    rig.ca.mischief = () => undefined;
    expect((await authority.newOrder({ names }, never)).status).toBe('pending');
  });

  test('refusing every nonce is quoted in the end', async () => {
    const authority = await rig.started();
    rig.ca.mischief = misbehaveAt('/new-order', 'bad-nonce');
    expect(await failure(authority.newOrder({ names }, never))).toMatchObject({
      details: { problem: { type: 'urn:ietf:params:acme:error:badNonce' } },
    });
  });

  test('refusing nonces with another status and no fresh nonce is still signed for again', async () => {
    const authority = await rig.started();
    const refusal = { ...problem(403, 'badNonce', 'stale'), headers: { 'replay-nonce': '' } };
    rig.ca.mischief = misbehaveAt('/new-order', refusal, 1);
    expect((await authority.newOrder({ names }, never)).status).toBe('pending');
  });

  test('without nonces is authority-protocol', async () => {
    rig.ca.mischief = (_request, honest) => ({ ...honest(), headers: { ...honest().headers, 'replay-nonce': '' } });
    const authority = await rig.started();
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'authority-protocol' });
  });

  test('without a certificate in the certificate is authority-protocol', async () => {
    const authority = await rig.started();
    await authority.newOrder({ names }, never);
    for (const body of ['', '<html>', { certificate: CHAIN }]) {
      rig.ca.mischief = misbehaveAt('/certificate', { status: 200, body });
      await expect(authority.certificate(rig.ca.url('/certificate/0'), never)).rejects.toMatchObject({
        code: 'authority-protocol',
      });
    }
  });

  test('that never answers is given up when the caller says so, and after a minute by itself', async () => {
    const authority = await rig.started();
    rig.ca.mischief = misbehaveAt('/new-order', 'stall');
    const controller = new AbortController();
    const first = rig.ca.stalled();
    const aborted = failure(authority.newOrder({ names }, controller.signal));
    await first;
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'stopped' });
    const second = rig.ca.stalled();
    const late = failure(authority.newOrder({ names }, never));
    await second;
    await clock.advance(60_000);
    expect(await late).toMatchObject({ code: 'authority-unreachable' });
    expect(clock.nextTimerMs()).toBeUndefined();
  });
});

test('two CAs in one process keep their accounts, nonces and faults apart', async () => {
  const other = new AuthorityRig({ clock });
  await other.start();
  const otherAuthority = await other.started();
  const authority = await rig.started();
  other.ca.mischief = misbehaveAt('/new-order', 'cut');
  const csr = await signingRequest();
  const results = await Promise.allSettled([
    issue(authority, csr),
    otherAuthority.newOrder({ names }, never),
    issue(authority, csr),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  other.ca.mischief = () => undefined;
  expect(await issue(otherAuthority, csr)).toBe(CHAIN);
  // A nonce of the wrong CA would have been refused, and sent again.
  expect(rig.ca.log.filter((line) => line.startsWith('POST'))).toHaveLength(1 + 2 * 7);
  expect(other.ca.log.filter((line) => line.startsWith('POST'))).toHaveLength(1 + 1 + 7);
  await other.stop();
});

test('a request is signed once and its answer parsed once', async () => {
  const authority = await rig.started();
  const order = await authority.newOrder({ names }, never);
  let signatures = 0;
  setLogger((line) => (signatures += line.startsWith('Using nonce') ? 1 : 0));
  const parse = vi.spyOn(JSON, 'parse');
  // The CA lives in this process, and parses what it receives; an answer is the only text with a finalize URL in it.
  const polled = await authority.order(order.url, never);
  const parsed = parse.mock.calls.filter(([text]) => text.includes('"finalize"'));
  parse.mockRestore();
  setLogger(() => undefined);
  expect([polled.status, signatures, parsed.length]).toEqual(['pending', 1, 1]);
});

test('after stop every call is refused', async () => {
  const authority = await rig.started();
  await authority.stop();
  await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'stopped' });
});
