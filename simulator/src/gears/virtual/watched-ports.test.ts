import type { VirtualPorts } from '@lanyard/broker/virtual';
import { openInlineStore } from '@lanyard/broker/virtual';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchPorts } from './watched-ports.ts';

const NAME = 'a.devices.test';

let store: ReturnType<typeof openInlineStore>;
let facts: string[];
let done: string[];
let ports: VirtualPorts;
/** What the board does when it is asked to publish. */
let publish: () => Promise<void>;

const note = (what: string) => async (): Promise<void> => void done.push(what);

beforeEach(() => {
  store = openInlineStore(':memory:');
  facts = [];
  done = [];
  const untouched = { send: () => true, authority: {} };
  const wrap = watchPorts({
    orderOpened: (...what) => facts.push(`opened ${what.join(' ')}`),
    stoodIn: (...what) => facts.push(`stood in ${what.join(' ')}`),
    orderClosed: (...what) => facts.push(`closed ${what.join(' ')}`),
    published: (name, addresses) => facts.push(`published ${name} ${addresses.join()}`),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody asks the authority here
  ports = wrap({
    ...untouched,
    orders: store.orders,
    appliances: store.appliances,
    board: {
      put: note('put'),
      clear: note('clear'),
      list: async () => [{ kind: 'txt', name: NAME, value: 'token' }],
      publish: () => publish(),
    },
  } as unknown as VirtualPorts);
});
afterEach(() => store.close());

function request(keyHash: string, orderId = 'o1') {
  return { orderId, deviceId: 'box-1', names: [NAME], keyHash, csr: Buffer.from('csr'), requestedAtMs: 1 };
}

describe('orders', () => {
  test('one that is accepted is told with its key; the same request again is not', async () => {
    expect((await ports.orders.accept(request('k1'))).kind).toBe('accepted');
    expect((await ports.orders.accept(request('k1', 'o2'))).kind).toBe('running');
    expect(facts).toEqual(['opened box-1 o1 k1']);
  });

  test('a key that takes the place of another is told under the same order', async () => {
    await ports.orders.accept(request('k1'));
    await ports.orders.accept(request('k2', 'o2'));
    expect(facts).toEqual(['opened box-1 o1 k1', 'opened box-1 o1 k2']);
  });

  test('it is closed when it is stored as issued, and not before', async () => {
    const acceptance = await ports.orders.accept(request('k1'));
    if (acceptance.kind !== 'accepted') throw new Error(acceptance.kind);
    const { order } = acceptance;
    expect(await ports.orders.save({ ...order, state: { kind: 'ordering', notBeforeMs: 2, tries: 1 } })).toBe(true);
    expect(facts).toHaveLength(1);
    expect(await ports.orders.save({ ...order, state: { kind: 'issued', fingerprint: 'f1' } })).toBe(true);
    expect(facts).toEqual(['opened box-1 o1 k1', 'closed box-1 o1']);
  });

  test('one that the broker opens by itself is told as such', async () => {
    const acceptance = await ports.orders.accept(request('k1'));
    if (acceptance.kind !== 'accepted') throw new Error(acceptance.kind);
    const { order } = acceptance;
    const held = { deviceId: 'box-1', orderId: 'o1', names: [NAME], fingerprint: 'f1', keyHash: 'k1', serial: '1' };
    const times = { notBeforeMs: 0, notAfterMs: 90, issuedAtMs: 0, renewAtMs: 60, unattendedAtMs: 75 };
    const closed = { ...order, state: { kind: 'issued', fingerprint: 'f1' } } as const;
    await ports.orders.complete(closed, { ...held, ...times, authority: 'ca', chain: 'chain' });
    const wish = { deviceId: 'box-1', fingerprint: 'f1', orderId: 'o2', asleepSinceMs: 60, nowMs: 75 };
    await ports.orders.standIn(wish);
    await ports.orders.standIn({ ...wish, orderId: 'o3' });
    expect(facts.slice(1)).toEqual(['stood in box-1 o2 k1']);
  });

  test('what could not be stored was not closed', async () => {
    const acceptance = await ports.orders.accept(request('k1'));
    if (acceptance.kind !== 'accepted') throw new Error(acceptance.kind);
    await ports.orders.accept(request('k2'));
    expect(await ports.orders.save({ ...acceptance.order, state: { kind: 'issued', fingerprint: 'f1' } })).toBe(false);
    expect(facts.filter((fact) => fact.startsWith('closed'))).toEqual([]);
  });

  test('everything else of the store is there', async () => {
    await ports.orders.accept(request('k1'));
    expect(await ports.orders.openOrders()).toMatchObject([{ id: 'o1' }]);
    expect((await ports.orders.dossier('box-1')).openOrder).toMatchObject({ keyHash: 'k1' });
  });
});

describe('the board', () => {
  test('addresses are told when they are served, and a failure is not told at all', async () => {
    publish = () => Promise.reject(new Error('no room'));
    await expect(ports.board.publish(NAME, ['192.168.0.19'])).rejects.toThrow('no room');
    publish = note('publish');
    await ports.board.publish(NAME, ['192.168.0.20']);
    expect([done, facts]).toEqual([['publish'], [`published ${NAME} 192.168.0.20`]]);
  });

  test('challenges pass', async () => {
    const record = { kind: 'txt', name: NAME, value: 'token' } as const;
    await ports.board.put(record);
    await ports.board.clear(record);
    expect(done).toEqual(['put', 'clear']);
    expect(await ports.board.list()).toEqual([record]);
    expect(facts).toEqual([]);
  });
});
