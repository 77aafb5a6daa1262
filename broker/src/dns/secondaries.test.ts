import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { silentLogger, systemClock, type LogFields } from '@lanyard/sdk/kernel';
import { seededRandom, VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { sign } from '../tsig/sign.ts';
import { parseTsigSecret, type TsigKey } from '../tsig/tsig-key.ts';
import { findTsig } from '../tsig/tsig-record.ts';
import { verify } from '../tsig/verify.ts';
import { datagrams, type Ask } from './datagram.ts';
import { EXAMPLE_APEX, exampleZone } from './example-zone.ts';
import { respond } from './respond.ts';
import { Secondaries } from './secondaries.ts';
import { OPCODE_NOTIFY } from './wire.ts';

const KEY: TsigKey = {
  name: 'ns1',
  algorithm: 'hmac-sha256',
  secret: parseTsigSecret('c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=')!,
};

/** Secondaries that only do what the test tells them to. */
class FakeSecondary {
  /** When it was told that there is something new. */
  readonly notifiedAtMs: number[] = [];
  questions = 0;
  hearsNotify = true;
  /** Undefined: it does not answer. */
  serial: number | undefined = 7;
  forges = false;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  readonly ask: Ask = async (_server, question, fits) => {
    const answer = this.#answer(question);
    return answer !== undefined && fits(answer) ? answer : undefined;
  };

  #answer(question: Buffer): Buffer | undefined {
    const isNotify = ((question.readUInt8(2) >>> 3) & 0x0f) === OPCODE_NOTIFY;
    if (!isNotify) {
      this.questions += 1;
      return this.serial === undefined ? undefined : respond(question, 'udp', [exampleZone({ serial: this.serial })]);
    }
    this.notifiedAtMs.push(this.#clock.monotonicMs());
    const request = verify(question, { keys: [KEY], nowMs: this.#clock.nowMs() });
    if (request.kind !== 'good') throw new Error(`NOTIFY is ${request.kind}`);
    if (!this.hearsNotify) return undefined;
    const found = findTsig(question);
    if (typeof found === 'string') throw new Error(found);
    const answer = Buffer.from(found.unsigned);
    answer.writeUInt8(answer.readUInt8(2) | 0x80, 2);
    if (this.forges) return answer;
    return sign(answer, { key: KEY, nowMs: this.#clock.nowMs(), requestMac: request.mac }).message;
  }
}

function open(count = 1) {
  const clock = new VirtualClock();
  const fakes = Array.from({ length: count }, () => new FakeSecondary(clock));
  const warnings: LogFields[] = [];
  const secondaries = new Secondaries({
    secondaries: fakes.map((_, index) => ({ address: '192.0.2.7', port: 5300 + index, key: KEY })),
    apexes: [EXAMPLE_APEX],
    ask: (server, ...rest) => fakes[server.port - 5300]!.ask(server, ...rest),
    clock,
    random: seededRandom(1),
    log: { ...silentLogger, warn: (fields) => warnings.push(fields) },
  });
  return { clock, fakes, fake: fakes[0]!, secondaries, warnings };
}

describe('NOTIFY', () => {
  test('goes out at once, then at most once a second, and the last change is told, too', async () => {
    const { clock, fake, secondaries } = open();
    for (let change = 0; change < 25; change++) {
      secondaries.changed(EXAMPLE_APEX);
      await clock.advance(100);
    }
    await clock.advance(10_000);
    expect(fake.notifiedAtMs).toHaveLength(4);
    const pauses = fake.notifiedAtMs.slice(1).map((atMs, index) => atMs - fake.notifiedAtMs[index]!);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1000);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test.each([
    ['is lost', { hearsNotify: false }],
    ['is answered without a signature', { forges: true }],
  ])('that %s is sent five times, further and further apart, and then a person is told', async (_what, how) => {
    const { clock, fake, secondaries, warnings } = open();
    Object.assign(fake, how);
    secondaries.changed(EXAMPLE_APEX);
    await clock.advance(60_000);
    expect(fake.notifiedAtMs.map((atMs) => atMs - fake.notifiedAtMs[0]!)).toEqual([0, 500, 1500, 3500, 7500]);
    expect(warnings).toEqual([{ apex: EXAMPLE_APEX, secondary: '192.0.2.7', port: 5300 }]);
    Object.assign(fake, { hearsNotify: true, forges: false });
    secondaries.changed(EXAMPLE_APEX);
    await clock.advance(60_000);
    expect(fake.notifiedAtMs).toHaveLength(6);
  });

  test('begins anew when there is something newer', async () => {
    const { clock, fake, secondaries, warnings } = open();
    fake.hearsNotify = false;
    for (let change = 0; change < 30; change++) {
      secondaries.changed(EXAMPLE_APEX);
      await clock.advance(1000);
    }
    expect(warnings).toEqual([]);
    expect(fake.notifiedAtMs.length).toBeGreaterThan(15);
  });

  test('ends with the broker', async () => {
    const { clock, fake, secondaries } = open();
    fake.hearsNotify = false;
    secondaries.changed(EXAMPLE_APEX);
    await secondaries.stop();
    await clock.advance(60_000);
    secondaries.changed(EXAMPLE_APEX);
    await clock.advance(60_000);
    expect(fake.notifiedAtMs).toHaveLength(1);
  });
});

describe('the barrier', () => {
  test('opens when the last secondary serves the serial, or a later one', async () => {
    const { clock, fakes, secondaries } = open(2);
    let isOpen = false;
    const reached = secondaries.reached(EXAMPLE_APEX, 9).finally(() => {
      isOpen = true;
    });
    fakes[0]!.serial = 9;
    await clock.advance(1_000);
    expect(isOpen).toBe(false);
    fakes[1]!.serial = 12;
    await clock.advance(200);
    await reached;
    expect(isOpen).toBe(true);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('counts serials on a circle', async () => {
    const { clock, fake, secondaries } = open();
    fake.serial = 0xffff_ffff;
    const reached = secondaries.reached(EXAMPLE_APEX, 2);
    await clock.advance(1_000);
    fake.serial = 3;
    await clock.advance(1_000);
    await reached;
    expect(fake.questions).toBeGreaterThan(5);
  });

  test.each([
    ['that is silent', undefined, /does not answer/],
    ['that stays behind', 7, /serves serial 7/],
  ])('fails after half a minute with a secondary %s, and says when to try again', async (_what, serial, why) => {
    const { clock, fake, secondaries } = open();
    fake.serial = serial;
    const failure = secondaries.reached(EXAMPLE_APEX, 9).catch((error: unknown) => error);
    await clock.advance(31_000);
    expect(await failure).toMatchObject({
      code: 'dns-serving-failed',
      message: expect.stringMatching(why),
      retryAfterMs: expect.any(Number),
    });
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('asks for all who wait together, however many', async () => {
    const { clock, fake, secondaries } = open();
    const all = Promise.all(Array.from({ length: 500 }, (_, index) => secondaries.reached(EXAMPLE_APEX, 8 + index)));
    await clock.advance(1_500);
    expect(fake.questions).toBeLessThan(15);
    fake.serial = 600;
    await clock.advance(200);
    expect(await all).toHaveLength(500);
  });

  test('lets nobody wait when the broker stops', async () => {
    const { clock, secondaries } = open();
    const failure = secondaries.reached(EXAMPLE_APEX, 9).catch((error: unknown) => error);
    await secondaries.stop();
    expect(await failure).toMatchObject({ code: 'stopped' });
    await clock.advance(1_000);
    expect(clock.nextTimerMs()).toBeUndefined();
  });
});

describe('a question by UDP', () => {
  const closers: (() => unknown)[] = [];

  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  async function serverThat(
    answers: (question: Buffer) => readonly Buffer[],
  ): Promise<{ address: string; port: number }> {
    const socket = createSocket('udp4');
    closers.push(() => socket.close());
    socket.on('message', (question, { port, address }) => {
      for (const answer of answers(question)) socket.send(answer, port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port }: AddressInfo = socket.address();
    return { address: '127.0.0.1', port };
  }

  const question = Buffer.from('123400000001000000000000', 'hex');

  test('takes the answer that fits, and passes over what does not', async () => {
    const right = Buffer.from('123484000001000000000000', 'hex');
    const wrong = ['123584000001000000000000', '123404000001000000000000', '1234a0000001000000000000', '12'];
    const server = await serverThat(() => [...wrong.map((hex) => Buffer.from(hex, 'hex')), right]);
    const answer = await datagrams(systemClock)(server, question, () => true, 10_000);
    expect(answer?.equals(right)).toBe(true);
  });

  test('ends without an answer in its time', async () => {
    const clock = new VirtualClock();
    const server = await serverThat(() => []);
    const answer = datagrams(clock)(server, question, () => true, 500);
    await clock.advance(500);
    expect(await answer).toBeUndefined();
  });

  test('ends at once where nobody listens', async () => {
    const server = await serverThat(() => []);
    for (const close of closers.splice(0)) close();
    expect(await datagrams(systemClock)(server, question, () => true, 60_000)).toBeUndefined();
  });
});
