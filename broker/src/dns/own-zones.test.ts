import { EventEmitter, once } from 'node:events';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { describe, expect, test } from 'vitest';
import type { ChallengeRecord } from '../certificates/challenge-board.ts';
import { ask, buildQuery } from './example-query.ts';
import { exampleSnapshot } from './example-zone.ts';
import { MemoryZoneJournal } from './memory-zone-journal.ts';
import { OwnZones, type ServingBarrier, type ZoneServing } from './own-zones.ts';
import type { ServedZone, ZoneChange } from './served-zone.ts';
import { RCODE, TYPE } from './wire.ts';
import type { ZoneSettings } from './zone-settings.ts';
import { buildZone, type ZoneSource } from './zone-source.ts';

const DEVICES: ZoneSettings = {
  apex: 'devices.example.com',
  soa: exampleSnapshot.soa,
  nameServers: exampleSnapshot.nameServers,
};
const ALPHA = 'alpha.devices.example.com';
const CHALLENGE = `_acme-challenge.${ALPHA}`;

/** Serves on the spot, or fails as told. */
class FakeThread implements ZoneServing {
  zones: readonly ServedZone[] = [];
  readonly changes: ZoneChange[] = [];
  nextError: LanyardError | undefined;

  async serve(sources: readonly ZoneSource[]): Promise<void> {
    this.zones = await Promise.all(sources.map((source) => buildZone(source, () => {})));
  }

  async apply(change: ZoneChange): Promise<void> {
    const error = this.nextError;
    this.nextError = undefined;
    if (error !== undefined) throw error;
    this.changes.push(change);
    this.zones.find((zone) => zone.apex === change.apex)?.apply(change);
  }

  answers(name: string, type: number): readonly string[] {
    return ask(buildQuery(name, type), this.zones).answers;
  }
}

async function startOwnZones({
  settings = [DEVICES],
  journal = new MemoryZoneJournal(),
  guests = [],
}: { settings?: readonly ZoneSettings[]; journal?: MemoryZoneJournal; guests?: readonly string[] } = {}) {
  const thread = new FakeThread();
  const options = { journal, thread, zones: settings, guests, clock: new VirtualClock(), log: silentLogger };
  const ownZones = new OwnZones(options);
  await ownZones.start();
  return { ownZones, thread, journal };
}

function txt(name: string, value: string): ChallengeRecord {
  return { kind: 'txt', name, value };
}

describe('challenges', () => {
  test('are served when put, side by side, and gone when cleared', async () => {
    const { ownZones, thread } = await startOwnZones();
    await ownZones.put(txt(CHALLENGE, 'one'));
    await ownZones.put(txt(CHALLENGE, 'two'));
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toEqual([`${CHALLENGE} TXT 60 one`, `${CHALLENGE} TXT 60 two`]);
    await ownZones.clear(txt(CHALLENGE, 'one'));
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toEqual([`${CHALLENGE} TXT 60 two`]);
    await ownZones.clear(txt(CHALLENGE, 'two'));
    expect(ask(buildQuery(ALPHA, TYPE.A), thread.zones).rcode).toBe(RCODE.NXDOMAIN);
  });

  test('put twice, or cleared without being there, change nothing, not even the serial', async () => {
    const { ownZones, thread } = await startOwnZones();
    await ownZones.put(txt(CHALLENGE, 'one'));
    const serial = thread.zones[0]?.serial;
    await ownZones.put(txt(CHALLENGE, 'one'));
    await ownZones.clear(txt(CHALLENGE, 'never put'));
    expect(thread.zones[0]?.serial).toBe(serial);
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toHaveLength(1);
  });

  test('are listed, over all zones, to find those whose order is gone', async () => {
    const other = { ...DEVICES, apex: 'other.example' };
    const { ownZones } = await startOwnZones({ settings: [DEVICES, other] });
    await ownZones.put(txt(CHALLENGE, 'one'));
    await ownZones.put(txt('_acme-challenge.x.other.example', 'two'));
    await ownZones.publish(ALPHA, ['10.0.0.1']);
    expect(await ownZones.list()).toEqual([txt(CHALLENGE, 'one'), txt('_acme-challenge.x.other.example', 'two')]);
  });

  test('are not the texts of a guest, which are a set', async () => {
    const guest = 'guests.devices.example.com';
    const { ownZones, thread } = await startOwnZones({ guests: [guest] });
    await ownZones.setTexts(`one.${guest}`, ['a', 'b', 'a']);
    await ownZones.put(txt(`one.not-${guest}`, 'c'));
    expect(await ownZones.list()).toEqual([txt(`one.not-${guest}`, 'c')]);
    expect(thread.answers(`one.${guest}`, TYPE.TXT)).toEqual([`one.${guest} TXT 60 a`, `one.${guest} TXT 60 b`]);
    await ownZones.setTexts(`one.${guest}`, ['b']);
    expect(thread.answers(`one.${guest}`, TYPE.TXT)).toEqual([`one.${guest} TXT 60 b`]);
    await ownZones.setTexts(`one.${guest}`, []);
    expect(ask(buildQuery(guest, TYPE.TXT), thread.zones).rcode).toBe(RCODE.NXDOMAIN);
    await expect(ownZones.setTexts('one.elsewhere.example', ['a'])).rejects.toMatchObject({
      code: 'dns-record-refused',
    });
  });

  test('survive a restart', async () => {
    const { ownZones, journal } = await startOwnZones();
    await ownZones.put(txt(CHALLENGE, 'one'));
    const { thread } = await startOwnZones({ journal });
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toEqual([`${CHALLENGE} TXT 60 one`]);
  });

  test('that are not served fail, and succeed when put again although they are stored already', async () => {
    const { ownZones, thread } = await startOwnZones();
    thread.nextError = new LanyardError('dns-serving-failed');
    await expect(ownZones.put(txt(CHALLENGE, 'one'))).rejects.toMatchObject({ code: 'dns-serving-failed' });
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toEqual([]);
    await ownZones.put(txt(CHALLENGE, 'one'));
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toHaveLength(1);
  });

  test('that cannot be stored are not served', async () => {
    const { ownZones, thread, journal } = await startOwnZones();
    journal.nextError = new LanyardError('store-failed');
    await expect(ownZones.put(txt(CHALLENGE, 'one'))).rejects.toMatchObject({ code: 'store-failed' });
    expect(thread.changes).toEqual([]);
    await ownZones.put(txt(CHALLENGE, 'one'));
    expect(thread.changes).toHaveLength(1);
  });

  test('of one name are served in the order of the calls, even when the store is slow', async () => {
    const { ownZones, thread, journal } = await startOwnZones();
    const gate = new EventEmitter();
    journal.gate = once(gate, 'open');
    const put = ownZones.put(txt(CHALLENGE, 'one'));
    journal.gate = Promise.resolve();
    const clear = ownZones.clear(txt(CHALLENGE, 'one'));
    await ownZones.put(txt('_acme-challenge.beta.devices.example.com', 'other names do not wait'));
    gate.emit('open');
    await Promise.all([put, clear]);
    expect(thread.changes.map(({ add, remove }) => [add.length, remove.length])).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toEqual([]);
  });
});

describe('addresses', () => {
  test('replace each other as a whole', async () => {
    const { ownZones, thread } = await startOwnZones();
    await ownZones.publish(ALPHA, ['10.1.1.4', 'FD00:0::0004', '10.1.1.4']);
    expect(thread.answers(ALPHA, TYPE.A)).toEqual([`${ALPHA} A 60 10.1.1.4`]);
    expect(thread.answers(ALPHA, TYPE.AAAA)).toEqual([`${ALPHA} AAAA 60 fd00::4`]);
    await ownZones.publish(ALPHA, ['10.1.1.5']);
    expect(thread.answers(ALPHA, TYPE.A)).toEqual([`${ALPHA} A 60 10.1.1.5`]);
    expect(thread.answers(ALPHA, TYPE.AAAA)).toEqual([]);
    await ownZones.publish(ALPHA, []);
    expect(thread.answers(ALPHA, TYPE.A)).toEqual([]);
  });

  test('that are served already are not served again, until something about them failed', async () => {
    const { ownZones, thread } = await startOwnZones();
    await ownZones.publish(ALPHA, ['10.1.1.4']);
    await ownZones.publish(ALPHA, ['10.1.1.4']);
    expect(thread.changes).toHaveLength(1);
    thread.nextError = new LanyardError('dns-serving-failed');
    await expect(ownZones.publish(ALPHA, ['10.1.1.5'])).rejects.toMatchObject({ code: 'dns-serving-failed' });
    await ownZones.publish(ALPHA, ['10.1.1.4']);
    expect(thread.answers(ALPHA, TYPE.A)).toEqual([`${ALPHA} A 60 10.1.1.4`]);
    await Promise.all([ownZones.publish(ALPHA, ['10.1.1.6']), ownZones.publish(ALPHA, ['10.1.1.4'])]);
    await ownZones.publish(ALPHA, ['10.1.1.4']);
    expect(thread.answers(ALPHA, TYPE.A)).toEqual([`${ALPHA} A 60 10.1.1.4`]);
  });

  test('leave the challenge of the same appliance alone', async () => {
    const { ownZones, thread } = await startOwnZones();
    await ownZones.put(txt(CHALLENGE, 'one'));
    await ownZones.publish(ALPHA, ['10.1.1.4']);
    await ownZones.publish(ALPHA, []);
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toHaveLength(1);
  });

  test('in another spelling are the same, so the serial stays', async () => {
    const { ownZones, thread } = await startOwnZones();
    await ownZones.publish(ALPHA.toUpperCase(), ['fd00::4']);
    const serial = thread.zones[0]?.serial;
    await ownZones.publish(ALPHA, ['FD00:0:0::4']);
    expect(thread.zones[0]?.serial).toBe(serial);
  });
});

describe('what is refused', () => {
  test.each([
    ['outside every zone', 'alpha.elsewhere.example'],
    ['the zone itself', 'devices.example.com'],
    ['a name server', 'NS1.devices.example.com'],
    ['no name', 'a..devices.example.com'],
    ['a trailing dot', `${ALPHA}.`],
    ['characters that no zone has', 'a b.devices.example.com'],
    ['a label of 64 characters', `${'a'.repeat(64)}.devices.example.com`],
  ])('a name: %s', async (_, name) => {
    const { ownZones, thread, journal } = await startOwnZones();
    const before = await journal.load(DEVICES.apex);
    await expect(ownZones.publish(name, ['10.0.0.1'])).rejects.toMatchObject({ code: 'dns-record-refused' });
    await expect(ownZones.put(txt(name, 'value'))).rejects.toMatchObject({ code: 'dns-record-refused' });
    await expect(ownZones.clear(txt(name, 'value'))).rejects.toMatchObject({ code: 'dns-record-refused' });
    expect(await journal.load(DEVICES.apex)).toEqual(before);
    expect(thread.changes).toEqual([]);
  });

  test('a challenge that is not for the DNS', async () => {
    const { ownZones, thread } = await startOwnZones();
    const put = ownZones.put({ kind: 'http', name: ALPHA, value: 'token.thumbprint' });
    await expect(put).rejects.toMatchObject({ code: 'dns-record-refused' });
    expect(thread.changes).toEqual([]);
  });

  test.each(['10.0.0', '10.0.0.256', 'fe80::1%eth0', 'localhost', '', '::ffff:1.2.3.4.5', '10.0.0.1/8'])(
    'an address: "%s"',
    async (address) => {
      const { ownZones, thread } = await startOwnZones();
      const published = ownZones.publish(ALPHA, ['10.0.0.1', address]);
      await expect(published).rejects.toMatchObject({ code: 'dns-record-refused' });
      expect(thread.changes).toEqual([]);
    },
  );

  test('everything before the start and after the stop', async () => {
    const { ownZones, journal } = await startOwnZones();
    await ownZones.stop();
    await expect(ownZones.put(txt(CHALLENGE, 'one'))).rejects.toMatchObject({ code: 'stopped' });
    expect((await journal.load(DEVICES.apex)).records).toEqual([]);
  });

  test('settings with mistakes, all named at once', async () => {
    const settings: ZoneSettings = {
      apex: 'devices.example.com.',
      soa: { ...DEVICES.soa, minimumSeconds: 3600, mname: '' },
      nameServers: [{ name: 'ns1.devices.example.com', addresses: ['nonsense'] }],
      caa: [{ flags: 300, tag: 'issue', value: '' }],
    };
    const started = startOwnZones({ settings: [settings] });
    await expect(started).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(started).rejects.toThrow(/trailing dot.*primary.*minimum.*"nonsense".*300|300.*/s);
    await expect(startOwnZones({ settings: [DEVICES, DEVICES] })).rejects.toThrow(/twice/);
    const withoutGlue = { ...DEVICES, nameServers: [{ name: 'ns1.devices.example.com', addresses: [] }] };
    await expect(startOwnZones({ settings: [withoutGlue] })).rejects.toThrow(/needs its addresses/);
  });
});

describe('CAA', () => {
  const pinned = { flags: 0, tag: 'issue', value: 'ca.example; accounturi=https://ca.example/acct/1' };

  test('is replaced with a new serial, and stays over a restart', async () => {
    const { ownZones, thread, journal } = await startOwnZones();
    const before = thread.zones[0]?.serial ?? 0;
    await ownZones.setCaa(DEVICES.apex, [pinned, { flags: 0, tag: 'issuewild', value: ';' }, pinned]);
    await ownZones.setCaa(DEVICES.apex, [pinned]);
    expect(thread.answers(DEVICES.apex, TYPE.CAA)).toEqual([
      'devices.example.com CAA 60 0 issue "ca.example; accounturi=https://ca.example/acct/1"',
    ]);
    expect(thread.zones[0]?.serial).toBe(before + 2);
    const restarted = await startOwnZones({ journal });
    expect(restarted.thread.answers(DEVICES.apex, TYPE.CAA)).toHaveLength(1);
  });

  test('in the settings is put in place at every start', async () => {
    const { ownZones, journal } = await startOwnZones();
    await ownZones.setCaa(DEVICES.apex, [pinned]);
    const configured = { ...DEVICES, caa: [{ flags: 128, tag: 'issue', value: ';' }] };
    const { thread } = await startOwnZones({ journal, settings: [configured] });
    expect(thread.answers(DEVICES.apex, TYPE.CAA)).toEqual(['devices.example.com CAA 60 128 issue ";"']);
    const again = await startOwnZones({ journal, settings: [configured] });
    expect(again.thread.zones[0]?.serial).toBe(thread.zones[0]?.serial);
  });

  test('of an unknown zone, or malformed, is refused', async () => {
    const { ownZones, thread } = await startOwnZones();
    await expect(ownZones.setCaa(ALPHA, [pinned])).rejects.toMatchObject({ code: 'dns-record-refused' });
    const malformed = { ...pinned, value: 'line\nbreak' };
    const set = ownZones.setCaa(DEVICES.apex, [pinned, malformed]);
    await expect(set).rejects.toMatchObject({ code: 'dns-record-refused' });
    expect(thread.changes).toEqual([]);
  });
});

test('with nested zones a record goes into the innermost', async () => {
  const inner = { ...DEVICES, apex: 'lab.devices.example.com' };
  const { ownZones, thread } = await startOwnZones({ settings: [DEVICES, inner] });
  await ownZones.publish('alpha.lab.devices.example.com', ['10.0.0.1']);
  expect(thread.changes[0]?.apex).toBe('lab.devices.example.com');
  expect(thread.answers('alpha.lab.devices.example.com', TYPE.A)).toHaveLength(1);
});

describe('where secondaries follow', () => {
  class FakeBarrier implements ServingBarrier {
    changes = 0;
    readonly asked: number[] = [];
    gate: Promise<unknown> = Promise.resolve();

    changed(): void {
      this.changes += 1;
    }

    async reached(_apex: string, serial: number): Promise<void> {
      this.asked.push(serial);
      await this.gate;
    }
  }

  async function startFollowed(journal = new MemoryZoneJournal()) {
    const [thread, barrier] = [new FakeThread(), new FakeBarrier()];
    const world = { clock: new VirtualClock(), log: silentLogger };
    const ownZones = new OwnZones({ journal, thread, zones: [DEVICES], barrier, ...world });
    await ownZones.start();
    return { ownZones, thread, barrier, journal };
  }

  test('a challenge is up when they have it; addresses wait for nobody', async () => {
    const { ownZones, thread, barrier } = await startFollowed();
    const gate = new EventEmitter();
    barrier.gate = once(gate, 'open');
    let isUp = false;
    const put = ownZones.put(txt(CHALLENGE, 'one')).finally(() => {
      isUp = true;
    });
    await ownZones.publish(ALPHA, ['10.0.0.9']);
    expect(thread.answers(CHALLENGE, TYPE.TXT)).toHaveLength(1);
    expect(isUp).toBe(false);
    gate.emit('open');
    await put;
    expect(barrier.asked).toEqual([3]);
  });

  test('a challenge that they do not get is not up', async () => {
    const { ownZones, barrier } = await startFollowed();
    barrier.gate = Promise.reject(new LanyardError('dns-serving-failed'));
    await expect(ownZones.put(txt(CHALLENGE, 'one'))).rejects.toMatchObject({ code: 'dns-serving-failed' });
  });

  test('they are told of the start and of every change', async () => {
    const { ownZones, barrier } = await startFollowed();
    expect(barrier.changes).toBe(1);
    await ownZones.publish(ALPHA, ['10.0.0.9']);
    await ownZones.put(txt(CHALLENGE, 'one'));
    await ownZones.clear(txt(CHALLENGE, 'one'));
    expect(barrier.changes).toBe(4);
  });

  test('no serial stands for two states of the zone: not after a failure, and not after a restart', async () => {
    const { ownZones, thread, barrier, journal } = await startFollowed();
    thread.nextError = new LanyardError('dns-serving-failed');
    await expect(ownZones.put(txt(CHALLENGE, 'one'))).rejects.toMatchObject({ code: 'dns-serving-failed' });
    // Another name's change goes out under a serial that is later than that of the one that failed.
    await ownZones.publish(ALPHA, ['10.0.0.9']);
    const between = thread.zones[0]!.serial;
    await ownZones.put(txt(CHALLENGE, 'one'));
    expect(thread.zones[0]!.serial).toBeGreaterThan(between);
    expect(barrier.asked).toEqual([thread.zones[0]!.serial]);
    const before = thread.zones[0]!.serial;
    const again = await startFollowed(journal);
    expect(again.thread.zones[0]!.serial).toBeGreaterThan(before);
  });
});
