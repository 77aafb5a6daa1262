/** The whole broker without sockets, threads and real time: the domain put together, its lives, and its disk. */
import { silentLogger } from '@lanyard/sdk/kernel';
import { encodeUp } from '@lanyard/sdk/protocol';
import type { DownMessage, UpMessage } from '@lanyard/sdk/protocol';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuthorityDouble, csrOf, readChainDouble, readClaims } from './certificates/authority-double.ts';
import { buildQuery } from './dns/example-query.ts';
import { openInlineStore } from './store/inline-store.ts';
import type { InlineStore } from './store/inline-store.ts';
import { VirtualBroker } from './virtual-broker.ts';
import type { VirtualBrokerOptions } from './virtual-broker.ts';

const BOX = 'appliance-1';
const IDENTITY = 'identity-key-1';
const KEY = 'ab'.repeat(32);
const ZONE = 'devices.example.com';
const A = 1;
const SOA = 6;
const REFUSED = 5;
const TXT = 16;
const caller = { deviceId: BOX, identityKeyHash: IDENTITY, sourceAddress: '198.51.100.7' };

let clock: VirtualClock;
let store: InlineStore;
let ca: AuthorityDouble;
let sent: string[];
/** Whether the appliance's line is up. */
let isThere: boolean;
let broker: VirtualBroker;

beforeEach(() => {
  clock = new VirtualClock();
  store = openInlineStore(':memory:');
  ca = new AuthorityDouble({
    clock,
    txt: (name) => broker.records(name, TXT).map((data) => Buffer.from(data.subarray(1)).toString()),
  });
  ca.forge = (chain) => ({ ...chain, fingerprint: chain.serial.padStart(64, '0') });
  [sent, isThere] = [[], true];
});
afterEach(() => {
  broker.kill();
  store.close();
});

function make(change: Partial<VirtualBrokerOptions> = {}): VirtualBroker {
  return new VirtualBroker({
    terms: { id: 'ca', limits: {}, renewals: 'exempt' },
    clock,
    random: seededRandom(4),
    log: silentLogger,
    store,
    zone: ZONE,
    settings: {
      addresses: { allowCgnat: false, allowGlobal: false },
      appliances: { mode: 'resident', checkInSeconds: 86_400, reconnectSpreadSeconds: 300, renewAsleepDays: 100 },
      issuance: { failoverAfterSeconds: 900, concurrency: 4 },
    },
    authority: ca,
    readRequest: async (der) => readClaims(Buffer.from(der).toString()),
    readChain: readChainDouble,
    send: (deviceId, message) => isThere && sent.push(`${deviceId} ${aboutOf(message)}`) > 0,
    ...change,
  });
}

/** A new life on the same disk. */
async function live(change: Partial<VirtualBrokerOptions> = {}): Promise<void> {
  broker = make(change);
  await broker.start();
}

function say(message: UpMessage): void {
  broker.accept(BOX, message.kind, encodeUp(message));
}

function hello(address = '192.168.1.20', more: { readonly pendingKeyHash?: string } = {}): UpMessage {
  const addresses = [{ address, interface: 'eth0', isDefaultRoute: true }];
  const about = { clockMs: 0, sdkVersion: '0.1.0', rebinding: 'unknown' } as const;
  return { kind: 'hello', hello: { id: 'h1', bootId: 'b1', addresses, ...about, ...more } };
}

function csr(name: string): UpMessage {
  return { kind: 'csr', csr: { id: 'c1', der: csrOf({ names: [name], keyHash: KEY }) } };
}

/** Enrolled, said hello, and asked for a certificate that is not there yet. */
async function asked(): Promise<string> {
  const name = await broker.enrol(BOX, IDENTITY);
  say(hello());
  await clock.advance(10);
  say(csr(name));
  await clock.advance(10);
  return name;
}

describe('the domain put together', () => {
  test('from hello to the certificate, and a name that points to the appliance', async () => {
    await live();
    const name = await asked();
    expect(name).toMatch(new RegExp(`^[a-z2-7]+\\.${ZONE}$`));
    await clock.advance(60_000);
    expect(sent).toEqual([`${BOX} state request`, `${BOX} certificate accepted`, `${BOX} certificate issued`]);
    expect(broker.records(name, A).map((data) => data.join('.'))).toEqual(['192.168.1.20']);
    expect(broker.records(`_acme-challenge.${name}`, TXT)).toEqual([]);
    expect(ca.newOrders).toMatchObject([{ names: [name] }]);
  });

  test('nothing happens before it is started', async () => {
    broker = make();
    await clock.advance(60_000);
    expect(clock.nextTimerMs()).toBeUndefined();
    expect(rcodeOf(broker)).toBe(REFUSED);
    await broker.start();
    expect(rcodeOf(broker)).toBe(0);
  });

  test('only who is enrolled, with his own key, is admitted', async () => {
    await live();
    expect((await broker.admit(caller)).kind).toBe('refused');
    await broker.enrol(BOX, IDENTITY);
    expect((await broker.admit(caller)).kind).toBe('welcome');
    expect((await broker.admit({ ...caller, identityKeyHash: 'stolen' })).kind).toBe('refused');
  });

  test('a renewal is asked for at once when the operator wants it, by who is there', async () => {
    await live();
    await asked();
    await clock.advance(60_000);
    say({ kind: 'installed', installed: { id: 'i1', fingerprint: '1'.padStart(64, '0') } });
    await clock.advance(10);
    sent.splice(0);
    await broker.renew(BOX);
    await clock.advance(10);
    expect(sent).toEqual([`${BOX} state request`]);
    broker.gone(BOX);
    await clock.advance(10);
    await broker.renew(BOX);
    await clock.advance(10);
    expect(sent).toHaveLength(1);
  });

  test('nonsense is refused and changes nothing', async () => {
    await live();
    await broker.enrol(BOX, IDENTITY);
    broker.accept(BOX, 'hello', Buffer.from('{'));
    await clock.advance(10);
    expect(sent).toEqual([`${BOX} problem bad-request`]);
  });
});

describe('the name server', () => {
  test('answers packets from the same zone, also after the death of the rest', async () => {
    await live();
    const name = await broker.enrol(BOX, IDENTITY);
    say(hello('192.168.1.33'));
    await clock.advance(10);
    broker.kill();
    const answer = broker.answer(buildQuery(name, A));
    expect([...answer!.subarray(-4)]).toEqual([192, 168, 1, 33]);
    expect(broker.records(name, A)).toHaveLength(1);
  });

  test('what is not there has no records', async () => {
    await live();
    expect(broker.records(`nobody.${ZONE}`, A)).toEqual([]);
    expect(broker.records('nobody.example.org', A)).toEqual([]);
    expect(broker.records(ZONE, TXT)).toEqual([]);
  });
});

describe('lives on one disk', () => {
  test('who was killed in the middle of an order says and asks nothing any more; the next life finishes it', async () => {
    await live();
    const name = await asked();
    const former = broker;
    sent.splice(0);
    former.kill();
    await clock.advance(600_000);
    former.accept(BOX, 'hello', encodeUp(hello()));
    former.gone(BOX);
    await clock.advance(600_000);
    expect([sent, ca.issuedCount]).toEqual([[], 0]);
    expect(clock.nextTimerMs()).toBeUndefined();
    await live();
    say(hello());
    await clock.advance(600_000);
    expect(ca.issuedCount).toBe(1);
    expect(sent).toContain(`${BOX} certificate issued`);
    expect(broker.records(name, A)).toHaveLength(1);
  });

  test('an orderly stop leaves as little behind', async () => {
    await live();
    await asked();
    await broker.stop();
    const before = ca.newOrders.length;
    await clock.advance(3_600_000);
    expect(ca.newOrders).toHaveLength(before);
    expect(clock.nextTimerMs()).toBeUndefined();
    await live();
    await clock.advance(600_000);
    expect(ca.issuedCount).toBe(1);
  });

  test('killed again and again at any instant, it orders once and leaves no challenge behind', async () => {
    await live();
    const name = await asked();
    for (let round = 0; round < 20 && ca.issuedCount === 0; round++) {
      await clock.advance(300 + round * 97);
      broker.kill();
      await live();
    }
    await clock.advance(3_600_000);
    expect(ca.issuedCount).toBe(1);
    expect(ca.orderCount).toBe(1);
    expect(broker.records(`_acme-challenge.${name}`, TXT)).toEqual([]);
  });

  test('whom a dead one enrols nobody knows', async () => {
    await live();
    broker.kill();
    void broker.enrol(BOX, IDENTITY);
    await clock.advance(10);
    await live();
    expect((await broker.admit(caller)).kind).toBe('refused');
  });

  test('names stay bound: enrolled again, the appliance has the same', async () => {
    await live();
    const name = await broker.enrol(BOX, IDENTITY);
    broker.kill();
    await live();
    expect(await broker.enrol(BOX, IDENTITY)).toBe(name);
  });
});

describe('between the domain and its ports', () => {
  test('what stands there sees what is stored, published, ordered and sent', async () => {
    const seen: string[] = [];
    await live({
      between: (ports) => ({
        ...ports,
        send: (deviceId, message) => (seen.push('send'), ports.send(deviceId, message)),
        board: {
          put: (record) => (seen.push('put'), ports.board.put(record)),
          clear: (record) => (seen.push('clear'), ports.board.clear(record)),
          list: () => (seen.push('list'), ports.board.list()),
          publish: (name, addresses) => (seen.push('publish'), ports.board.publish(name, addresses)),
        },
      }),
    });
    await asked();
    await clock.advance(60_000);
    expect(new Set(seen)).toEqual(new Set(['list', 'publish', 'send', 'put', 'clear']));
    expect(ca.issuedCount).toBe(1);
  });

  test('a line that is down takes nothing, and the certificate waits for the next hello', async () => {
    await live();
    await asked();
    isThere = false;
    await clock.advance(60_000);
    isThere = true;
    sent.splice(0);
    say(hello(undefined, { pendingKeyHash: KEY }));
    await clock.advance(10);
    expect(sent).toEqual([`${BOX} state install`, `${BOX} certificate issued`]);
  });

  test('a CA that has to be started is started before the first order goes out', async () => {
    const order: string[] = [];
    const authority = Object.assign(ca, { start: async () => void order.push('start'), stop: async () => {} });
    ca.onNewOrder = () => order.push('order');
    await live({ authority });
    await asked();
    await clock.advance(60_000);
    expect(order).toEqual(['start', 'order']);
  });
});

/** RFC 1035 §4.1.1: the last four bits of the flags. */
function rcodeOf(server: VirtualBroker): number {
  return server.answer(buildQuery(ZONE, SOA))!.readUInt8(3) & 15;
}

function aboutOf(message: DownMessage): string {
  switch (message.kind) {
    case 'state':
      return `state ${message.state.todo.kind}`;
    case 'certificate':
      return `certificate ${message.certificate.kind}`;
    case 'problem':
      return `problem ${message.problem.code}`;
    case 'revocation':
      return `revocation ${message.wish.fingerprint}`;
  }
}
