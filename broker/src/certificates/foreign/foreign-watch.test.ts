import { beforeEach, describe, expect, test } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import type { LogFields, Logger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { openInlineStore } from '../../store/inline-store.ts';
import type { InlineStore } from '../../store/inline-store.ts';
import { ForeignWatch } from './foreign-watch.ts';
import type { ObservedCertificate } from './observed-certificate.ts';

const ZONE = 'devices.example.com';
const OURS = `a.${ZONE}`;
const clock = new VirtualClock();

let store: InlineStore;
let errors: LogFields[] = [];

beforeEach(() => {
  store = openInlineStore(':memory:');
  errors = [];
});

/** What stands in the PEM of these tests. */
function pemOf(facts: Partial<ObservedCertificate> = {}): string {
  const serial = facts.serial ?? '1';
  const plain = { fingerprint: `f${serial}`, names: [OURS], serial, issuer: 'CN=Some CA', keyHash: 'stranger' };
  return JSON.stringify({ ...plain, notBeforeMs: 0, notAfterMs: 90 * 86_400_000, ...facts });
}

function readCertificate(pem: string): ObservedCertificate {
  if (pem === 'nonsense') throw new LanyardError('certificate-unreadable');
  return JSON.parse(pem);
}

async function watch(): Promise<ForeignWatch> {
  const log: Logger = { ...silentLogger, error: (fields) => void errors.push(fields) };
  const started = new ForeignWatch({ store: store.foreign, readCertificate, zones: [ZONE], clock, log });
  await started.start();
  return started;
}

async function accept(keyHash: string): Promise<void> {
  const request = { deviceId: 'appliance-1', orderId: 'order-1', names: [OURS], keyHash, csr: Uint8Array.of() };
  await store.orders.accept({ ...request, requestedAtMs: clock.nowMs() });
}

describe('a certificate that nobody here asked for', () => {
  test('is an alarm, once, until it is settled', async () => {
    const foreign = await watch();
    expect(foreign.unsettled).toBe(0);
    expect(await foreign.observe(pemOf())).toMatchObject({ verdict: 'foreign', certificate: { names: [OURS] } });
    expect(await foreign.observe(pemOf())).toMatchObject({ verdict: 'foreign' });
    expect(foreign.unsettled).toBe(1);
    expect(errors).toEqual([
      expect.objectContaining({ fingerprint: 'f1', names: [OURS], issuer: 'CN=Some CA', isRemembered: true }),
    ]);
    expect(await foreign.list()).toEqual([{ ...JSON.parse(pemOf()), seenAtMs: clock.nowMs() }]);

    await clock.advance(1_000);
    await foreign.settle('F1');
    expect(foreign.unsettled).toBe(0);
    expect(await foreign.list()).toMatchObject([{ fingerprint: 'f1', settledAtMs: clock.nowMs() }]);
    await foreign.observe(pemOf());
    expect([foreign.unsettled, errors.length]).toEqual([0, 1]);
  });

  test('and its precertificate are one alarm', async () => {
    const foreign = await watch();
    await foreign.observe(pemOf({ fingerprint: 'poisoned' }));
    await foreign.observe(pemOf({ fingerprint: 'final' }));
    expect([foreign.unsettled, errors.length]).toEqual([1, 1]);
  });

  test('is an alarm after a restart, too', async () => {
    await (await watch()).observe(pemOf());
    const again = await watch();
    expect(again.unsettled).toBe(1);
    expect(errors.at(-1)).toMatchObject({ certificates: 1 });
  });

  test('is told without the names that are others’', async () => {
    const many = Array.from({ length: 150 }, (_, n) => `a${n}.${ZONE}`);
    const { certificate } = await (await watch()).observe(pemOf({ names: ['example.net', ...many] }));
    expect(certificate.names).toEqual(many.slice(0, 100));
  });

  test('is logged even when a thousand others are remembered; a settled one gives way', async () => {
    const foreign = await watch();
    for (let n = 0; n < 1_000; n += 1)
      await store.foreign.note(readCertificate(pemOf({ serial: `old-${n}` })), n, 1_000);
    await foreign.observe(pemOf({ serial: 'new' }));
    expect(errors).toMatchObject([{ serial: 'new', isRemembered: false }]);
    expect(foreign.unsettled).toBe(1_000);
    await foreign.settle('fold-7');
    await foreign.observe(pemOf({ serial: 'new' }));
    expect(errors.at(-1)).toMatchObject({ serial: 'new', isRemembered: true });
    const fingerprints = (await foreign.list()).map(({ fingerprint }) => fingerprint);
    expect(fingerprints).toHaveLength(1_000);
    expect(fingerprints).not.toContain('fold-7');
  });
});

describe('no alarm', () => {
  test('is what an appliance asked for, from the moment when its request was accepted', async () => {
    const foreign = await watch();
    await accept('key-1');
    expect(await foreign.observe(pemOf({ keyHash: 'key-1' }))).toMatchObject({ verdict: 'own' });
    expect([foreign.unsettled, errors]).toEqual([0, []]);
  });

  test('is what is for somebody else', async () => {
    const foreign = await watch();
    expect(await foreign.observe(pemOf({ names: ['example.net'] }))).toMatchObject({ verdict: 'irrelevant' });
    expect([foreign.unsettled, errors, await foreign.list()]).toEqual([0, [], []]);
  });
});

test('what cannot be read is refused, and not in silence', async () => {
  await expect((await watch()).observe('nonsense')).rejects.toMatchObject({ code: 'certificate-unreadable' });
  expect(errors).toHaveLength(1);
});

test('nothing that is not known is settled', async () => {
  await expect((await watch()).settle('f1')).rejects.toMatchObject({ code: 'foreign-certificate-unknown' });
});

test('a fingerprint may be written as OpenSSL does', async () => {
  const foreign = await watch();
  await foreign.observe(pemOf({ fingerprint: 'abcd' }));
  await foreign.settle('AB:CD');
  expect(foreign.unsettled).toBe(0);
});
