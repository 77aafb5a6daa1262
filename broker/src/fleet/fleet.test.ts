import { expect, test } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import type { Random } from '@lanyard/sdk/kernel';
import type { Hello } from '@lanyard/sdk/protocol';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { openInlineStore } from '../store/inline-store.ts';
import { nameOf } from './appliance.ts';
import { Fleet } from './fleet.ts';
import type { Greeting } from './fleet.ts';

const DEVICE = 'appliance-1';
const hello: Hello = {
  id: 'hello-1',
  bootId: 'boot-1',
  clockMs: 0,
  addresses: [{ address: '192.168.1.20', interface: 'eth0', isDefaultRoute: true }],
  sdkVersion: '0.1.0',
  rebinding: 'ok',
};

function at(...addresses: readonly string[]): Hello {
  return { ...hello, addresses: addresses.map((address) => ({ address, interface: 'eth0', isDefaultRoute: true })) };
}

function bench(random: Random = seededRandom(1)) {
  const clock = new VirtualClock();
  const store = openInlineStore(':memory:');
  const board = new Map<string, readonly string[]>();
  const failures: LanyardError[] = [];
  const publish = async (name: string, addresses: readonly string[]): Promise<void> => {
    const failure = failures.pop();
    if (failure) throw failure;
    board.set(name, addresses);
  };
  const settings = { zone: 'devices.example.com', addresses: { allowCgnat: false, allowGlobal: false } };
  const parts = { store: store.appliances, board: { publish }, clock, random, log: silentLogger, settings };
  return { fleet: new Fleet(parts), clock, store, board, failures };
}

test('an appliance is given a random name, the same one for ever', async () => {
  const { fleet, clock } = bench();
  const appliance = await fleet.enrol(DEVICE, 'key-1');
  expect(nameOf(appliance)).toMatch(/^[a-z2-7]{16}\.devices\.example\.com$/);
  expect(appliance).toMatchObject({ status: 'active', published: [], enrolledAtMs: clock.nowMs() });
  await clock.advance(1_000);
  expect(await fleet.enrol(DEVICE, 'key-1')).toEqual(appliance);
  expect(await fleet.find(DEVICE)).toEqual(appliance);
  expect(await fleet.count()).toBe(1);
});

test('an id that is enrolled with one key is not given to another', async () => {
  const { fleet } = bench();
  await fleet.enrol(DEVICE, 'key-1');
  await expect(fleet.enrol(DEVICE, 'key-2')).rejects.toMatchObject({ code: 'appliance-exists' });
  expect((await fleet.find(DEVICE)).identityKeyHash).toBe('key-1');
});

test.each([
  '',
  'short',
  'UPPER-CASE',
  'with space',
  'a/b/c/d/e',
  '+++++++++',
  '#########',
  'ä'.repeat(8),
  'a'.repeat(65),
])('the id %j is refused before anything is stored', async (deviceId) => {
  const { fleet } = bench();
  await expect(fleet.enrol(deviceId, 'key-1')).rejects.toMatchObject({ code: 'appliance-id-invalid' });
  expect(await fleet.count()).toBe(0);
});

/** Dice that fall alike the first times. */
function stuckRandom(times: number): Random {
  let throws = 0;
  return { uniform: () => 0, bytes: (count) => new Uint8Array(count).fill(Math.max(0, ++throws - times)) };
}

test('a label that is taken is not given to a second appliance', async () => {
  const { fleet } = bench(stuckRandom(3));
  const first = await fleet.enrol(DEVICE, 'key-1');
  const second = await fleet.enrol('appliance-2', 'key-2');
  expect(first.label).toBe('a'.repeat(16));
  expect(second.label).toBe('b'.repeat(16));
});

test('dice that always fall alike are noticed, and nobody is enrolled', async () => {
  const { fleet } = bench(stuckRandom(1_000));
  await fleet.enrol(DEVICE, 'key-1');
  await expect(fleet.enrol('appliance-2', 'key-2')).rejects.toMatchObject({ code: 'internal' });
  expect(await fleet.count()).toBe(1);
});

test('the name follows the appliance’s address, and the history remembers', async () => {
  const { fleet, board, clock } = bench();
  const name = nameOf(await fleet.enrol(DEVICE, 'key-1'));
  expect(await greet(fleet, at('192.168.1.20', '127.0.0.1'))).toMatchObject({
    published: ['192.168.1.20'],
    withheld: [{ address: '127.0.0.1', reason: 'never-published' }],
  });
  const firstMs = clock.nowMs();
  await clock.advance(5_000);
  await greet(fleet, at('10.0.0.5'));
  expect(board.get(name)).toEqual(['10.0.0.5']);
  expect(await fleet.addressHistory(DEVICE, 10)).toEqual([
    { address: '10.0.0.5', fromMs: firstMs + 5_000 },
    { address: '192.168.1.20', fromMs: firstMs, untilMs: firstMs + 5_000 },
  ]);
  await greet(fleet, at());
  expect(board.get(name)).toEqual([]);
});

test('what the appliance says of itself is remembered', async () => {
  const { fleet, clock } = bench();
  await fleet.enrol(DEVICE, 'key-1');
  await greet(fleet, { ...hello, firmwareVersion: '1.2.3', model: 'NAS' });
  const { lastHello } = await fleet.find(DEVICE);
  const said = { sdkVersion: '0.1.0', firmwareVersion: '1.2.3', model: 'NAS', rebinding: 'ok' };
  expect(lastHello).toEqual({ atMs: clock.nowMs(), ...said });
});

test('addresses that could not be served are served after the next hello', async () => {
  const { fleet, board, failures } = bench();
  const name = nameOf(await fleet.enrol(DEVICE, 'key-1'));
  failures.push(new LanyardError('dns-serving-failed'));
  await expect(greet(fleet, hello)).rejects.toMatchObject({ code: 'dns-serving-failed' });
  expect(board.has(name)).toBe(false);
  await greet(fleet, hello);
  expect(board.get(name)).toEqual(['192.168.1.20']);
});

test('an appliance that nobody enrolled has no name and publishes nothing', async () => {
  const { fleet, board } = bench();
  await expect(greet(fleet, hello)).rejects.toMatchObject({ code: 'appliance-unknown' });
  await expect(fleet.find(DEVICE)).rejects.toMatchObject({ code: 'appliance-unknown' });
  expect(board.size).toBe(0);
});

test('a fleet is listed in pages', async () => {
  const { fleet } = bench();
  for (const n of [3, 1, 2]) await fleet.enrol(`appliance-${n}`, `key-${n}`);
  const ids = async (page: { after?: string; limit: number }) =>
    (await fleet.list(page)).map(({ deviceId }) => deviceId);
  expect(await ids({ limit: 2 })).toEqual(['appliance-1', 'appliance-2']);
  expect(await ids({ limit: 2, after: 'appliance-2' })).toEqual(['appliance-3']);
  expect(await ids({ limit: 2, after: 'appliance-3' })).toEqual([]);
});

/** As the conversation does with a hello. */
async function greet(fleet: Fleet, said: Hello): Promise<Greeting> {
  const greeting = await fleet.recognise(DEVICE, said);
  await fleet.greet(greeting, said);
  return greeting;
}
