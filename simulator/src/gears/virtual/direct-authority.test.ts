import { seededRandom } from '@lanyard/sdk/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { DirectWorld, only } from '../../world/authority/direct-world.ts';
import { writeStubRequest } from '../../world/authority/stub-maker.ts';
import { DirectAuthority } from './direct-authority.ts';
import { StubCrypto, readStubChain } from './stub-crypto.ts';

const NAME = 'a.devices.test';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const never = new AbortController().signal;

let ca: DirectWorld;
let authority: DirectAuthority;
let profile: string | undefined;

beforeEach(() => setUp());

function setUp(options: ConstructorParameters<typeof DirectWorld>[0] = {}): void {
  ca = new DirectWorld(options);
  profile = undefined;
  const { clock, door } = ca;
  authority = new DirectAuthority({
    clock,
    door,
    random: seededRandom(3),
    profile: () => profile,
    hasRenewalInfo: true,
    readChain: readStubChain,
  });
}

/** Lets the network carry a request and its answer. */
async function carried<T>(work: Promise<T>): Promise<T> {
  const settled = work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await ca.clock.advance(1_000);
  const outcome = await settled;
  if ('value' in outcome) return outcome.value;
  throw outcome.error;
}

async function proven() {
  const order = await carried(authority.newOrder({ names: [NAME] }, never));
  const [url = ''] = order.authorizationUrls;
  const { challenge } = await carried(authority.authorization(url, never));
  if (challenge === undefined) throw new Error('no challenge');
  ca.txt.set(challenge.record.name, [challenge.record.value]);
  await carried(authority.trigger(challenge.url, never));
  return { order, url };
}

test('from the wish to the chain, as the order machine asks', async () => {
  const { order, url } = await proven();
  expect(order).toMatchObject({ status: 'pending', finalizeUrl: order.url });
  expect(await carried(authority.authorization(url, never))).toMatchObject({ status: 'valid', name: NAME });
  expect(await carried(authority.order(order.url, never))).toMatchObject({ status: 'ready', url: order.url });
  const csr = writeStubRequest({ names: [NAME], keyFingerprint: 'key-1' });
  const { certificateUrl } = await carried(authority.finalize(order.finalizeUrl, csr, never));
  const chain = await carried(authority.certificate(certificateUrl!, never));
  expect(chain).toBe((await ca.door.certificate(certificateUrl!)).chainPem());
  expect(ca.told('certified')).toMatchObject([{ names: [NAME] }]);
});

test('a CA that needs time says when to ask again', async () => {
  setUp({ policy: { asyncFinalizeMs: 60_000 } });
  const { order } = await proven();
  const csr = writeStubRequest({ names: [NAME], keyFingerprint: 'key-1' });
  const answer = await carried(authority.finalize(order.finalizeUrl, csr, never));
  expect(answer).toMatchObject({ status: 'processing' });
  expect(answer.retryAfterMs).toBeGreaterThanOrEqual(1_000);
});

test('the profile of the moment and what is replaced go with the order', async () => {
  profile = 'shortlived';
  await carried(authority.newOrder({ names: [NAME] }, never));
  profile = 'no-such-profile';
  await expect(carried(authority.newOrder({ names: [NAME] }, never))).rejects.toMatchObject({
    code: 'authority-refused',
    message: expect.stringContaining('no-such-profile'),
  });
  profile = undefined;
  await expect(carried(authority.newOrder({ names: [NAME], replaces: 'nonsense' }, never))).rejects.toMatchObject({
    code: 'authority-replacement-refused',
  });
});

describe('renewal information', () => {
  const { maker, keys } = new StubCrypto();

  /** A certificate of the stubs, as the broker knows it. */
  async function issued() {
    setUp({ maker });
    const { order } = await proven();
    const { keyPem } = await keys.makeKeyPair();
    const csr = await keys.makeSigningRequest({ keyPem, names: [NAME] });
    const { certificateUrl } = await carried(authority.finalize(order.finalizeUrl, csr, never));
    return readStubChain(await carried(authority.certificate(certificateUrl!, never)));
  }

  test('is about the certificate that a stub of a chain names', async () => {
    const { renewalId = '', notBeforeMs, notAfterMs } = await issued();
    const info = await carried(authority.renewalInfo(renewalId, never));
    const centreMs = notBeforeMs + (2 / 3) * (notAfterMs - notBeforeMs);
    expect(info?.window.startMs).toBeLessThan(centreMs);
    expect(info?.window.endMs).toBeGreaterThan(centreMs);
    expect(info).not.toHaveProperty('explanationUrl');
    // Six hours, give or take a fifth.
    expect(info!.retryAfterMs! / HOUR_MS).toBeGreaterThan(4.7);
    expect(info!.retryAfterMs! / HOUR_MS).toBeLessThan(7.3);
  });

  test('moves into the past with an incident, which has a page', async () => {
    const { renewalId = '' } = await issued();
    const explanationUrl = 'https://ca.test/incident';
    ca.core.controls.announceRevocation({ noticeMs: DAY_MS, explanationUrl });
    const info = await carried(authority.renewalInfo(renewalId, never));
    expect(info).toMatchObject({ explanationUrl });
    expect(info?.window.endMs).toBeLessThan(ca.clock.nowMs());
  });

  test.each(['c3R1Yg.AAAA', 'nonsense'])('of %s there is none', async (renewalId) => {
    await expect(carried(authority.renewalInfo(renewalId, never))).rejects.toMatchObject({ code: 'authority-refused' });
  });

  test('a certificate is replaced once', async () => {
    const { renewalId: replaces = '' } = await issued();
    await carried(authority.newOrder({ names: [NAME], replaces }, never));
    await expect(carried(authority.newOrder({ names: [NAME], replaces }, never))).rejects.toMatchObject({
      code: 'authority-replacement-refused',
      details: { status: 409 },
    });
  });

  test('a name that is refused is refused, whatever it replaces', async () => {
    const { renewalId: replaces = '' } = await issued();
    const order = authority.newOrder({ names: [NAME, 'under_score.devices.test'], replaces }, never);
    await expect(carried(order)).rejects.toMatchObject({ code: 'authority-rejected-name' });
  });
});

describe('the network', () => {
  test('request and answer are under way: the CA knows before the broker does', async () => {
    let isAnswered = false;
    void authority.newOrder({ names: [NAME] }, never).then(() => (isAnswered = true));
    await ca.clock.advance(29);
    expect(ca.told('ordered')).toHaveLength(0);
    while (ca.told('ordered').length === 0) await ca.clock.advance(1);
    expect(isAnswered).toBe(false);
    await ca.clock.advance(300);
    expect(isAnswered).toBe(true);
  });

  test('whoever gave up before it arrived has asked for nothing', async () => {
    const abort = new AbortController();
    const work = authority.newOrder({ names: [NAME] }, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(carried(work)).rejects.toThrow('stopped');
    expect(ca.told('ordered')).toEqual([]);
  });
});

describe('refusals in the words of the port', () => {
  test('limits: with the time to wait', async () => {
    setUp({ limits: only('newOrdersPerAccount', { burst: 1, periodMs: 3_600_000 }) });
    await carried(authority.newOrder({ names: [NAME] }, never));
    const refusal: unknown = await carried(authority.newOrder({ names: ['b.devices.test'] }, never)).catch(
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ code: 'authority-rate-limited', details: { status: 429, limit: 'new-orders' } });
    const waitMs: unknown = Reflect.get(Object(refusal), 'retryAfterMs');
    // An hour, and the CA's own spread on top.
    expect(waitMs).toBeGreaterThan(3_590_000);
    expect(waitMs).toBeLessThan(4_000_000);
  });

  test.each([
    ['cannot be reached', { isUnreachable: true }, 'authority-unreachable', 0],
    ['cuts its answer off', { cutShare: 1 }, 'authority-unreachable', 1],
    ['answers with 500', { isFailing: true }, 'authority-unreachable', 0],
  ] as const)('a CA that %s', async (_, faults, code, ordered) => {
    ca.core.controls.setFaults(faults);
    await expect(carried(authority.newOrder({ names: [NAME] }, never))).rejects.toMatchObject({ code });
    expect(ca.told('ordered')).toHaveLength(ordered);
  });

  test.each([
    ['order', () => authority.order('9999', never)],
    ['authorization', () => authority.authorization('9999', never)],
    ['certificate', () => authority.certificate('9999', never)],
  ])('an %s that the CA has forgotten is lost', async (_, ask) => {
    await expect(carried<unknown>(ask())).rejects.toMatchObject({ code: 'authority-order-lost' });
  });

  test('an order whose name was not proved says why', async () => {
    const order = await carried(authority.newOrder({ names: [NAME] }, never));
    const [url = ''] = order.authorizationUrls;
    await carried(authority.trigger(url, never));
    expect(await carried(authority.authorization(url, never))).toMatchObject({
      status: 'invalid',
      problem: { type: 'urn:ietf:params:acme:error:dns', detail: expect.stringContaining('NXDOMAIN') },
    });
    expect((await carried(authority.order(order.url, never))).status).toBe('invalid');
  });
});
