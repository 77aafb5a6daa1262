/** What every store must do about certificates that nobody here asked for. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ForeignStore } from '../../broker/src/certificates/foreign/foreign-store.ts';
import type { ObservedCertificate } from '../../broker/src/certificates/foreign/observed-certificate.ts';
import type { StorePorts } from '../../broker/src/store/store-ports.ts';
import { acceptIn, issueIn, requestOf } from './order-store.contract.ts';

const NOW_MS = 1_700_000_000_000;
const MANY = 10;

type Ports = Pick<StorePorts, 'foreign' | 'orders'>;

export interface ForeignStoreUnderTest {
  readonly store: Ports;
  /** The same medium after a restart of the process. */
  reopen(): Promise<Ports>;
}

function certificateOf(serial: string, facts: Partial<ObservedCertificate> = {}): ObservedCertificate {
  return {
    fingerprint: `fingerprint-${serial}`,
    names: ['a.devices.example.com', 'b.devices.example.com'],
    serial,
    issuer: 'C=US, CN=“R3”',
    keyHash: 'stranger',
    notBeforeMs: NOW_MS - 0.5,
    notAfterMs: NOW_MS + 1,
    ...facts,
  };
}

export function foreignStoreContract(name: string, make: () => Promise<ForeignStoreUnderTest>): void {
  describe(`foreign certificates in ${name}`, () => {
    let subject: ForeignStoreUnderTest;
    let ports: Ports;
    let store: ForeignStore;

    beforeEach(async () => {
      subject = await make();
      ports = subject.store;
      store = ports.foreign;
    });

    const serials = async (): Promise<readonly string[]> => (await store.list()).map(({ serial }) => serial);

    test('there are none at first', async () => {
      expect(await store.list()).toEqual([]);
      expect(await store.countUnsettled()).toBe(0);
      expect(await store.settle('fingerprint-1', NOW_MS)).toBe(false);
      expect(await store.namesOfKey('stranger')).toEqual([]);
    });

    test('are there after a restart as they were', async () => {
      expect(await store.note(certificateOf('1'), NOW_MS, MANY)).toBe('new');
      store = (await subject.reopen()).foreign;
      expect(await store.list()).toEqual([{ ...certificateOf('1'), seenAtMs: NOW_MS }]);
      expect(await store.countUnsettled()).toBe(1);
    });

    test('are known when they come again, and when their precertificate came', async () => {
      await store.note(certificateOf('1'), NOW_MS, MANY);
      expect(await store.note(certificateOf('1'), NOW_MS + 1, MANY)).toBe('known');
      expect(await store.note(certificateOf('1', { fingerprint: 'final' }), NOW_MS + 1, MANY)).toBe('known');
      expect(await store.list()).toMatchObject([{ fingerprint: 'fingerprint-1', seenAtMs: NOW_MS }]);
    });

    test.each<Partial<ObservedCertificate>>([{ issuer: 'another' }, { keyHash: 'another' }, { serial: '2' }])(
      'are others with %j',
      async (facts) => {
        await store.note(certificateOf('1'), NOW_MS, MANY);
        expect(await store.note(certificateOf('1', { fingerprint: 'f', ...facts }), NOW_MS, MANY)).toBe('new');
      },
    );

    test('are settled once, and come after the others', async () => {
      for (const serial of ['1', '2', '3', '4']) await store.note(certificateOf(serial), NOW_MS + Number(serial), MANY);
      expect(await store.settle('fingerprint-4', NOW_MS + 10)).toBe(true);
      expect(await store.settle('fingerprint-2', NOW_MS + 20)).toBe(true);
      expect(await store.settle('fingerprint-2', NOW_MS + 30)).toBe(true);
      store = (await subject.reopen()).foreign;
      expect(await serials()).toEqual(['3', '1', '4', '2']);
      expect((await store.list()).at(-1)).toMatchObject({ settledAtMs: NOW_MS + 20 });
      expect(await store.countUnsettled()).toBe(2);
    });

    test('are no more than so many: what was settled first is forgotten first, and nothing else', async () => {
      for (const serial of ['1', '2', '3']) await store.note(certificateOf(serial), NOW_MS, MANY);
      expect(await store.note(certificateOf('4'), NOW_MS, 3)).toBe('full');
      await store.settle('fingerprint-3', NOW_MS);
      await store.settle('fingerprint-1', NOW_MS + 1);
      expect(await store.note(certificateOf('2'), NOW_MS, 3)).toBe('known');
      expect(await store.note(certificateOf('5'), NOW_MS, 3)).toBe('new');
      expect(new Set(await serials())).toEqual(new Set(['1', '2', '5']));
    });

    test('the names of a key are those of the appliance that sent it: of its open order', async () => {
      await acceptIn(ports.orders, requestOf('appliance-1', 'order-1', 'key-1'));
      await acceptIn(ports.orders, requestOf('appliance-2', 'order-2', 'key-2'));
      expect(await store.namesOfKey('key-1')).toEqual(['appliance-1.devices.example.com']);
    });

    test('and of its newest certificate, also for a key of long ago', async () => {
      const first = await acceptIn(ports.orders, requestOf('appliance-1', 'order-1', 'key-1'));
      await issueIn(ports.orders, first, '1', NOW_MS);
      const second = await acceptIn(ports.orders, requestOf('appliance-1', 'order-2', 'key-2'));
      await issueIn(ports.orders, second, '2', NOW_MS + 1, { names: ['other.devices.example.com'] });
      store = (await subject.reopen()).foreign;
      expect(await store.namesOfKey('key-1')).toEqual(['other.devices.example.com']);
    });
  });
}
