import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import { csrOf } from './certificates/authority-double.ts';
import { World, honest, never, onlyIssuer } from './certificates/test-life.ts';
import type { Witness } from './certificates/test-life.ts';
import { nameOf } from './fleet/appliance.ts';
import { Fleet } from './fleet/fleet.ts';
import { createPrivateCa, PrivateCa } from './pki/private-ca.ts';
import { craftRequest, craftedSpki } from './pki/testing/crafted-request.ts';
import { KeyRefusal } from './certificates/key-refusal.ts';
import { Replacement } from './certificates/replacement.ts';
import type { StoredCertificate } from './certificates/stored-certificate.ts';
import { BrokerRegistry } from './registry.ts';

const DEVICE = 'appliance-1';
const SUPERSEDED = { signedBy: 'account', reason: 'superseded' } as const;
const CSR = `-----BEGIN CERTIFICATE REQUEST-----\n${craftRequest().toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----\n${craftedSpki.toString('base64')}\n-----END PUBLIC KEY-----\n`;

async function bench(witness: Witness = honest, limits: World['terms']['limits'] = {}) {
  const world = new World();
  world.terms = { ...world.terms, limits };
  const { clock, store } = world;
  const shared = { clock, random: seededRandom(3), log: silentLogger };
  const addresses = { allowCgnat: false, allowGlobal: false };
  const board = { publish: async (): Promise<void> => {} };
  const settings = { zone: 'devices.example.com', addresses };
  const fleet = new Fleet({ store: store.appliances, board, ...shared, settings });
  const { desk, issuance } = world.live(witness, 1);
  await issuance.start();
  const identities = new PrivateCa(createPrivateCa('Test CA', shared), shared);
  const connected = new Set<string>();
  const prompted: string[] = [];
  const prompt = async (deviceId: string): Promise<void> => void prompted.push(deviceId);
  const isConnected = (deviceId: string): boolean => connected.has(deviceId);
  const promptAll = (): number => connected.size;
  const { authority } = world;
  const signed: string[] = [];
  const replacement = new Replacement({
    store: store.orders,
    issuers: onlyIssuer(authority),
    keyRevocation: { revoke: async () => void signed.push(DEVICE) },
    clock,
    log: silentLogger,
  });
  const standIns = { plannedAtMs: ({ unattendedAtMs }: StoredCertificate) => unattendedAtMs };
  const keyRefusal = new KeyRefusal({ store: store.refusedKeys, clock, log: silentLogger });
  const parts = { fleet, desk, standIns, replacement, keyRefusal, identities, isConnected, prompt, promptAll };
  const registry = new BrokerRegistry(parts);
  return { registry, fleet, desk, clock, store, connected, prompted, signed, keyRefusal };
}

describe('enrolment', () => {
  test('gives a name and an identity for the key of a request, the same name again when repeated', async () => {
    const { registry, store } = await bench();
    const first = await registry.enrol({ deviceId: DEVICE, csr: CSR });
    expect(first).toMatchObject({
      deviceId: DEVICE,
      name: expect.stringMatching(/^[a-z2-7]{16}\.devices\.example\.com$/),
    });
    expect(first.identityCertificate).toContain('BEGIN CERTIFICATE');
    expect(first.brokerRoot).toContain('BEGIN CERTIFICATE');
    const again = await registry.enrol({ deviceId: DEVICE, publicKey: PUBLIC_KEY });
    expect(again.name).toBe(first.name);
    const stored = await store.appliances.find(DEVICE);
    expect(stored?.identityKeyHash).toBe(createHash('sha256').update(craftedSpki).digest('hex'));
  });

  test.each([{}, { csr: CSR, publicKey: PUBLIC_KEY }])(
    'with none or both of request and key is refused',
    async (material) => {
      const { registry, fleet } = await bench();
      await expect(registry.enrol({ deviceId: DEVICE, ...material })).rejects.toMatchObject({
        code: 'admin-request-invalid',
      });
      expect(await fleet.count()).toBe(0);
    },
  );

  test('with a key that cannot be read binds nothing', async () => {
    const { registry, fleet } = await bench();
    for (const material of [{ csr: 'hello' }, { publicKey: 'hello' }, { csr: PUBLIC_KEY }, { publicKey: CSR }]) {
      await expect(registry.enrol({ deviceId: DEVICE, ...material })).rejects.toMatchObject({ code: 'csr-invalid' });
    }
    expect(await fleet.count()).toBe(0);
  });

  test('with a key that is refused binds nothing', async () => {
    const { registry, fleet, keyRefusal } = await bench();
    expect(await keyRefusal.refuse(createHash('sha256').update(craftedSpki).digest('hex'))).toBe(true);
    await expect(registry.enrol({ deviceId: DEVICE, csr: CSR })).rejects.toMatchObject({ code: 'csr-key-refused' });
    expect(await fleet.count()).toBe(0);
  });

  test('of an id that has another key is refused', async () => {
    const { registry, fleet } = await bench();
    await fleet.enrol(DEVICE, 'another key');
    await expect(registry.enrol({ deviceId: DEVICE, csr: CSR })).rejects.toMatchObject({ code: 'appliance-exists' });
  });
});

describe('what is shown of an appliance', () => {
  test('is where it stands, from enrolment to certificate', async () => {
    const { registry, fleet, desk, clock, connected } = await bench();
    const { name } = await registry.enrol({ deviceId: DEVICE, csr: CSR });
    const enrolledAt = new Date(clock.nowMs()).toISOString();
    const plain = { deviceId: DEVICE, name, status: 'active', isConnected: false, published: [], enrolledAt };
    expect(await registry.show(DEVICE)).toEqual({ ...plain, addressHistory: [] });

    connected.add(DEVICE);
    const hello = {
      id: 'h',
      bootId: 'b',
      clockMs: 0,
      sdkVersion: '0.1.0',
      model: 'NAS',
      rebinding: 'blocked',
    } as const;
    const said = { ...hello, addresses: [{ address: '10.1.1.4', interface: 'e', isDefaultRoute: true }] };
    await fleet.greet(await fleet.recognise(DEVICE, said), said);
    const request = { names: [name], keyHash: 'key' };
    await desk.request(DEVICE, [name], csrOf(request));
    await clock.advance(0);
    expect(await registry.show(DEVICE)).toEqual({
      ...plain,
      isConnected: true,
      published: ['10.1.1.4'],
      lastSeenAt: enrolledAt,
      rebinding: 'blocked',
      firmware: { sdk: '0.1.0', model: 'NAS' },
      order: expect.objectContaining({
        state: 'proving',
        failures: 0,
        requestedAt: enrolledAt,
        nextTryAt: new Date(clock.nowMs() + 200).toISOString(),
      }),
      addressHistory: [{ address: '10.1.1.4', from: enrolledAt }],
    });

    await clock.advance(60_000);
    const { order, certificate } = await registry.show(DEVICE);
    expect(order).toBeUndefined();
    expect(certificate).toMatchObject({ names: [name], serial: '1' });
    const [renewAtMs, endsAtMs] = [certificate?.renewAt, certificate?.notAfter].map((at = '') => Date.parse(at));
    expect(certificate?.unattendedAt).toBe(new Date(((renewAtMs ?? 0) + (endsAtMs ?? 0)) / 2).toISOString());
    for (const absent of ['installedAt', 'asleepSince']) expect(certificate).not.toHaveProperty(absent);
    expect(JSON.stringify(certificate)).not.toContain('chain');
    await desk.installed(DEVICE, certificate?.fingerprint ?? '');
    expect((await registry.show(DEVICE)).certificate?.installedAt).toBe(new Date(clock.nowMs()).toISOString());
  });

  test('says why its order is late and when it goes on', async () => {
    const { registry, desk, clock } = await bench(async (name, act) => {
      if (name === 'authority.newOrder') {
        throw new LanyardError('authority-rate-limited', { message: 'too many', retryAfterMs: 60_000 });
      }
      return await act();
    });
    const { name } = await registry.enrol({ deviceId: DEVICE, csr: CSR });
    await desk.request(DEVICE, [name], csrOf({ names: [name], keyHash: 'key' }));
    await clock.advance(0);
    expect((await registry.show(DEVICE)).order).toMatchObject({
      state: 'waiting',
      nextTryAt: new Date(clock.nowMs() + 60_000).toISOString(),
      waitsFor: { what: 'budget', limit: 'pause', ahead: 0 },
      lastFailure: { code: 'authority-rate-limited', message: 'too many', at: new Date(clock.nowMs()).toISOString() },
    });
  });

  test('is nothing when nobody enrolled it', async () => {
    const { registry, prompted } = await bench();
    await expect(registry.show(DEVICE)).rejects.toMatchObject({ code: 'appliance-unknown' });
    await expect(registry.renew(DEVICE)).rejects.toMatchObject({ code: 'appliance-unknown' });
    expect(prompted).toEqual([]);
  });
});

/** So many appliances ask; each order's view. */
async function asked(count: number, { witness, limits }: { witness?: Witness; limits?: World['terms']['limits'] }) {
  const { registry, fleet, desk, clock } = await bench(witness, limits);
  const ids = Array.from({ length: count }, (_, n) => `appliance-${n}`);
  for (const id of ids) {
    const name = nameOf(await fleet.enrol(id, `identity of ${id}`));
    await desk.request(id, [name], csrOf({ names: [name], keyHash: `key of ${id}` }));
  }
  await clock.advance(0);
  const orders = await Promise.all(ids.map(async (id) => (await registry.show(id)).order));
  const after = (laterMs: number): string => new Date(clock.nowMs() + laterMs).toISOString();
  return { orders, after };
}

function failing(act: string, error: Error): Witness {
  return async (name, go) => {
    if (name === act) throw error;
    return await go();
  };
}

/** The CA does not answer newOrder at all. */
const silent: Witness = async (name, act) => (name === 'authority.newOrder' ? await never() : await act());

describe('why an order is not going on', () => {
  test('its own pause', async () => {
    const { orders, after } = await asked(1, { witness: failing('authority.newOrder', new LanyardError('internal')) });
    expect(orders[0]).toMatchObject({ state: 'waiting', failures: 1, nextTryAt: after(60_000) });
    expect(orders[0]?.waitsFor).toEqual({ what: 'pause', until: after(60_000) });
  });

  test('a CA that is busy, for everybody', async () => {
    const busy = new LanyardError('authority-rate-limited', { retryAfterMs: 60_000, details: { status: 503 } });
    const { orders, after } = await asked(2, { witness: failing('authority.newOrder', busy) });
    for (const order of orders) {
      expect(order?.nextTryAt).toBe(after(60_000));
      expect(order?.waitsFor).toEqual({ what: 'authority', until: after(60_000) });
    }
  });

  test('a limit of the account, with how many go before it', async () => {
    const limits = { 'new-orders': { burst: 1, periodMs: 600_000 } };
    const { orders, after } = await asked(3, { limits });
    const until = after(720_000);
    expect(orders[1]?.waitsFor).toEqual({ what: 'budget', until, ahead: 0, limit: 'new-orders', ca: 'ca' });
    expect(orders[2]?.waitsFor).toEqual({ what: 'budget', until, ahead: 1, limit: 'new-orders', ca: 'ca' });
    expect(orders[2]?.nextTryAt).toBe(until);
  });

  test('a limit of the registered domain, which is named', async () => {
    const limits = { 'registered-domain': { burst: 1, periodMs: 600_000 } };
    const { orders } = await asked(2, { limits });
    const where = { limit: 'registered-domain', subject: 'example.com' };
    expect(orders[1]?.waitsFor).toMatchObject({ what: 'budget', ahead: 0, ...where });
  });

  test('its turn, when as many acts as may be are under way', async () => {
    const { orders } = await asked(2, { witness: silent });
    expect(orders[0]).toMatchObject({ state: 'ordering' });
    expect(orders[0]).not.toHaveProperty('waitsFor');
    expect(orders[1]?.waitsFor).toEqual({ what: 'turn', ahead: 0 });
  });
});

test('what the CA wants is shown: when to renew, and why', async () => {
  const { registry, desk, clock, store } = await bench();
  const { name } = await registry.enrol({ deviceId: DEVICE, csr: CSR });
  await desk.request(DEVICE, [name], csrOf({ names: [name], keyHash: 'key' }));
  await clock.advance(60_000);
  const { latestCertificate } = await store.orders.dossier(DEVICE);
  const renewAtMs = clock.nowMs() + 2_000;
  const window = { startMs: clock.nowMs() + 1_000, endMs: clock.nowMs() + 5_000 };
  const explanationUrl = 'https://ca.test/why';
  const noted = { renewAtMs, window, explanationUrl, lookUpAtMs: undefined };
  expect((await registry.show(DEVICE)).certificate).not.toHaveProperty('renewalWindow');
  expect(latestCertificate && (await store.orders.noteRenewal(latestCertificate, noted))).toBe(true);
  expect((await registry.show(DEVICE)).certificate).toMatchObject({
    renewAt: new Date(renewAtMs).toISOString(),
    renewalWindow: { start: new Date(window.startMs).toISOString(), end: new Date(window.endMs).toISOString() },
    explanationUrl,
  });
});

test('a renewal is due at once, and the appliance is told', async () => {
  const { registry, desk, clock, prompted } = await bench();
  const { name } = await registry.enrol({ deviceId: DEVICE, csr: CSR });
  await desk.request(DEVICE, [name], csrOf({ names: [name], keyHash: 'key' }));
  await clock.advance(60_000);
  const { certificate } = await registry.renew(DEVICE);
  expect(certificate?.renewAt).toBe(new Date(clock.nowMs()).toISOString());
  expect(prompted).toEqual([DEVICE]);
});

test('a renewal of an appliance that has no certificate yet changes nothing', async () => {
  const { registry } = await bench();
  await registry.enrol({ deviceId: DEVICE, csr: CSR });
  expect(await registry.renew(DEVICE)).toEqual(await registry.show(DEVICE));
});

test('the list is a page with the number of all', async () => {
  const { registry, fleet } = await bench();
  for (const n of [1, 2, 3]) await fleet.enrol(`appliance-${n}`, `key-${n}`);
  const page = await registry.list({ limit: 2, after: 'appliance-1' });
  expect(page.total).toBe(3);
  expect(page.appliances.map(({ deviceId }) => deviceId)).toEqual(['appliance-2', 'appliance-3']);
});

test('a certificate that is revoked is shown as such, and the appliance is told', async () => {
  const { registry, desk, clock, prompted } = await bench();
  const { name } = await registry.enrol({ deviceId: DEVICE, csr: CSR });
  await expect(registry.revoke(DEVICE, SUPERSEDED)).rejects.toMatchObject({ code: 'certificate-missing' });
  await desk.request(DEVICE, [name], csrOf({ names: [name], keyHash: 'key' }));
  await clock.advance(60_000);
  const at = new Date(clock.nowMs()).toISOString();
  expect((await registry.revoke(DEVICE, SUPERSEDED)).certificate).toMatchObject({
    revoked: { reason: 'superseded', at },
    renewAt: at,
  });
  expect(prompted).toEqual([DEVICE]);
  await expect(registry.revoke('appliance-9', SUPERSEDED)).rejects.toMatchObject({ code: 'appliance-unknown' });
});

test('a certificate is revoked by its own key when that is asked for', async () => {
  const { registry, desk, clock, signed, prompted } = await bench();
  const { name } = await registry.enrol({ deviceId: DEVICE, csr: CSR });
  await desk.request(DEVICE, [name], csrOf({ names: [name], keyHash: 'key' }));
  await clock.advance(60_000);
  const view = await registry.revoke(DEVICE, { signedBy: 'appliance', reason: 'key-compromise' });
  expect(view.certificate?.revoked?.reason).toBe('key-compromise');
  expect(signed).toEqual([DEVICE]);
  expect(prompted).toEqual([DEVICE]);
});

test('all certificates are replaced, and those who are here hear of it; in a dry run they are counted', async () => {
  const { registry, desk, clock, connected } = await bench();
  const { name } = await registry.enrol({ deviceId: DEVICE, csr: CSR });
  await desk.request(DEVICE, [name], csrOf({ names: [name], keyHash: 'key' }));
  await clock.advance(60_000);
  connected.add(DEVICE);
  expect(await registry.replaceAll({ withinSeconds: 3_600, isDryRun: true })).toEqual({ certificates: 1 });
  expect(await registry.replaceAll({ withinSeconds: 3_600, isDryRun: false })).toEqual({
    certificates: 1,
    connected: 1,
  });
  const { certificate } = await registry.show(DEVICE);
  expect(Date.parse(certificate?.renewAt ?? '') - clock.nowMs()).toBeLessThan(3_600_000);
});
