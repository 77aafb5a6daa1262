/** What every appliance store must do, whatever it keeps appliances in. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ApplianceStore, NewAppliance } from '../../broker/src/fleet/appliance-store.ts';
import type { LastHello } from '../../broker/src/fleet/appliance.ts';

const NOW_MS = 1_700_000_000_000;

export interface ApplianceStoreUnderTest {
  readonly appliances: ApplianceStore;
  /** The same medium after a restart of the process. */
  reopen(): Promise<ApplianceStore>;
}

export function applianceOf(deviceId: string, label = `label-of-${deviceId}`): NewAppliance {
  const identityKeyHash = `identity-of-${deviceId}`;
  return { deviceId, zone: 'devices.example.com', label, identityKeyHash, status: 'active', enrolledAtMs: NOW_MS };
}

function hello(atMs: number): LastHello {
  return { atMs, sdkVersion: '0.1.0', firmwareVersion: '7', model: 'nas', rebinding: 'ok' };
}

export function applianceStoreContract(name: string, make: () => Promise<ApplianceStoreUnderTest>): void {
  describe(`appliances in ${name}`, () => {
    let subject: ApplianceStoreUnderTest;
    let store: ApplianceStore;

    beforeEach(async () => {
      subject = await make();
      store = subject.appliances;
    });

    test('an empty store is empty', async () => {
      expect(await store.count()).toBe(0);
      expect(await store.list({ limit: 10 })).toEqual([]);
      expect(await store.find('appliance-1')).toBeUndefined();
      expect(await store.addressHistory('appliance-1', 10)).toEqual([]);
      expect(await store.setStatus('appliance-1', 'disabled', NOW_MS)).toBe(false);
    });

    test('an enrolled appliance is there after a restart', async () => {
      const expected = { ...applianceOf('appliance-1'), published: [] };
      expect(await store.enrol(applianceOf('appliance-1'))).toEqual({ kind: 'enrolled', appliance: expected });
      store = await subject.reopen();
      expect(await store.find('appliance-1')).toEqual(expected);
      expect(await store.count()).toBe(1);
    });

    test('an appliance that enrols again keeps its first name', async () => {
      await store.enrol(applianceOf('appliance-1', 'first'));
      const again = await store.enrol({ ...applianceOf('appliance-1', 'second'), enrolledAtMs: NOW_MS + 1 });
      expect(again).toEqual({ kind: 'known', appliance: { ...applianceOf('appliance-1', 'first'), published: [] } });
      expect((await store.enrol(applianceOf('appliance-2', 'second'))).kind).toBe('enrolled');
    });

    test('the same enrolment many times at once gives one appliance', async () => {
      const enrolments = Array.from({ length: 20 }, (_, n) => store.enrol(applianceOf('appliance-1', `label-${n}`)));
      const kinds = (await Promise.all(enrolments)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'enrolled')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'known')).toHaveLength(19);
    });

    test('an id is not taken over by another identity key', async () => {
      await store.enrol(applianceOf('appliance-1'));
      const thief = { ...applianceOf('appliance-1', 'other'), identityKeyHash: 'thief' };
      expect(await store.enrol(thief)).toEqual({ kind: 'other-key' });
      expect((await store.find('appliance-1'))?.identityKeyHash).toBe('identity-of-appliance-1');
    });

    test('a label is never given to a second appliance, in whatever case or zone', async () => {
      await store.enrol(applianceOf('appliance-1', 'abc'));
      store = await subject.reopen();
      expect(await store.enrol(applianceOf('appliance-2', 'abc'))).toEqual({ kind: 'label-taken' });
      expect(await store.enrol(applianceOf('appliance-2', 'ABC'))).toEqual({ kind: 'label-taken' });
      expect(await store.enrol({ ...applianceOf('appliance-2', 'abc'), zone: 'other.org' })).toEqual({
        kind: 'label-taken',
      });
      expect(await store.find('appliance-2')).toBeUndefined();
    });

    test('of many appliances that want one label at once one gets it', async () => {
      const enrolments = Array.from({ length: 20 }, (_, n) => store.enrol(applianceOf(`appliance-${n}`, 'wanted')));
      const kinds = (await Promise.all(enrolments)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'enrolled')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'label-taken')).toHaveLength(19);
      expect(await store.count()).toBe(1);
    });

    test('an enrolment that fails in the middle leaves its label free', async () => {
      const broken = { ...applianceOf('appliance-1', 'abc'), identityKeyHash: undefined };
      // @ts-expect-error -- what the compiler refuses, a defect elsewhere may still bring
      await expect(store.enrol(broken)).rejects.toMatchObject({ code: 'store-failed' });
      expect((await store.enrol(applianceOf('appliance-2', 'abc'))).kind).toBe('enrolled');
    });

    test('the list is read page by page in the order of ids', async () => {
      for (const n of [3, 1, 4, 2, 5]) await store.enrol(applianceOf(`appliance-${n}`));
      const idsOf = async (page: { after?: string; limit: number }) =>
        (await store.list(page)).map(({ deviceId }) => deviceId);
      expect(await idsOf({ limit: 2 })).toEqual(['appliance-1', 'appliance-2']);
      expect(await idsOf({ after: 'appliance-2', limit: 2 })).toEqual(['appliance-3', 'appliance-4']);
      expect(await idsOf({ after: 'appliance-4', limit: 2 })).toEqual(['appliance-5']);
      expect(await idsOf({ after: 'appliance-5', limit: 2 })).toEqual([]);
      expect(await idsOf({ limit: -1 })).toEqual([]);
      expect(await store.count()).toBe(5);
    });

    test('a hello is remembered with the addresses it led to, in their order', async () => {
      await store.enrol(applianceOf('appliance-1'));
      await store.recordHello('appliance-1', hello(NOW_MS), ['fd00::1', '10.1.1.4']);
      store = await subject.reopen();
      const expected = { lastHello: hello(NOW_MS), published: ['fd00::1', '10.1.1.4'] };
      expect(await store.find('appliance-1')).toEqual({ ...applianceOf('appliance-1'), ...expected });
      expect(await store.list({ limit: 1 })).toEqual([{ ...applianceOf('appliance-1'), ...expected }]);
    });

    test('a hello says no more than it said', async () => {
      await store.enrol(applianceOf('appliance-1'));
      const sparse = { atMs: NOW_MS, sdkVersion: '1', rebinding: 'unknown' } as const;
      await store.recordHello('appliance-1', sparse, []);
      expect((await store.find('appliance-1'))?.lastHello).toEqual(sparse);
    });

    test('a hello of an unknown appliance is refused and leaves nothing', async () => {
      const hasFailed = store.recordHello('appliance-1', hello(NOW_MS), ['10.1.1.4']);
      await expect(hasFailed).rejects.toMatchObject({ code: 'appliance-unknown' });
      expect(await store.addressHistory('appliance-1', 10)).toEqual([]);
    });

    test('an address that is no longer published goes to the history, the newest first', async () => {
      await store.enrol(applianceOf('appliance-1'));
      await store.recordHello('appliance-1', hello(NOW_MS), ['10.1.1.4']);
      await store.recordHello('appliance-1', hello(NOW_MS + 1), ['10.1.1.4', '10.1.1.5']);
      await store.recordHello('appliance-1', hello(NOW_MS + 2), ['10.1.1.5']);
      await store.recordHello('appliance-1', hello(NOW_MS + 3), ['10.1.1.4']);
      store = await subject.reopen();
      expect((await store.find('appliance-1'))?.published).toEqual(['10.1.1.4']);
      expect(await store.addressHistory('appliance-1', 10)).toEqual([
        { address: '10.1.1.4', fromMs: NOW_MS + 3 },
        { address: '10.1.1.5', fromMs: NOW_MS + 1, untilMs: NOW_MS + 3 },
        { address: '10.1.1.4', fromMs: NOW_MS, untilMs: NOW_MS + 2 },
      ]);
      expect(await store.addressHistory('appliance-1', 1)).toEqual([{ address: '10.1.1.4', fromMs: NOW_MS + 3 }]);
    });

    test('a hello that changes nothing adds nothing to the history', async () => {
      await store.enrol(applianceOf('appliance-1'));
      for (let n = 0; n < 5; n++) {
        await store.recordHello('appliance-1', hello(NOW_MS + n), ['10.1.1.4', '10.1.1.5', '10.1.1.4']);
      }
      expect(await store.addressHistory('appliance-1', 10)).toEqual([
        { address: '10.1.1.5', fromMs: NOW_MS },
        { address: '10.1.1.4', fromMs: NOW_MS },
      ]);
      expect((await store.find('appliance-1'))?.lastHello?.atMs).toBe(NOW_MS + 4);
    });

    test('addresses that only change their order change no period', async () => {
      await store.enrol(applianceOf('appliance-1'));
      await store.recordHello('appliance-1', hello(NOW_MS), ['10.1.1.4', '10.1.1.5']);
      await store.recordHello('appliance-1', hello(NOW_MS + 1), ['10.1.1.5', '10.1.1.4']);
      expect((await store.find('appliance-1'))?.published).toEqual(['10.1.1.5', '10.1.1.4']);
      const periods = await store.addressHistory('appliance-1', 10);
      expect(periods.map(({ fromMs }) => fromMs)).toEqual([NOW_MS, NOW_MS]);
    });

    test('the history of an appliance that never keeps an address stays bounded', async () => {
      await store.enrol(applianceOf('appliance-1'));
      await Promise.all(
        Array.from({ length: 300 }, (_, n) =>
          store.recordHello('appliance-1', hello(NOW_MS + n), [`10.0.${n >> 8}.${n & 255}`]),
        ),
      );
      const periods = await store.addressHistory('appliance-1', 1_000);
      expect(periods).toHaveLength(101);
      expect(periods[0]).toEqual({ address: '10.0.1.43', fromMs: NOW_MS + 299 });
    });

    test('the addresses of one appliance are not another’s', async () => {
      await store.enrol(applianceOf('appliance-1'));
      await store.enrol(applianceOf('appliance-2'));
      await store.recordHello('appliance-1', hello(NOW_MS), ['192.168.1.4']);
      await store.recordHello('appliance-2', hello(NOW_MS), ['192.168.1.4']);
      await store.recordHello('appliance-2', hello(NOW_MS + 1), []);
      expect((await store.find('appliance-1'))?.published).toEqual(['192.168.1.4']);
      expect((await store.find('appliance-2'))?.published).toEqual([]);
    });

    test('an appliance can be disabled and enabled again', async () => {
      await store.enrol(applianceOf('appliance-1'));
      expect(await store.setStatus('appliance-1', 'disabled', NOW_MS)).toBe(true);
      store = await subject.reopen();
      expect((await store.find('appliance-1'))?.status).toBe('disabled');
      expect(await store.setStatus('appliance-1', 'active', NOW_MS)).toBe(true);
      expect((await store.find('appliance-1'))?.status).toBe('active');
    });
  });
}
