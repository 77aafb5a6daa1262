import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createSocket } from 'node:dgram';
import { Worker } from 'node:worker_threads';
import { silentLogger, systemClock, type LogFields, type Logger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { DnsThread, type DnsWorker } from './dns-thread.ts';
import { buildQuery, readReply } from './example-query.ts';
import { exampleSnapshot } from './example-zone.ts';
import type { ThreadReply, ThreadRequest } from './thread-messages.ts';
import { RCODE, TYPE } from './wire.ts';
import type { ZoneSource } from './zone-source.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };
const CHANGE = { apex: 'devices.example.com', serial: 8, clear: [], add: [], remove: [] };
const NAME = 'beta.devices.example.com';

/** A thread that only does what the test tells it to. */
class FakeWorker extends EventEmitter implements DnsWorker {
  readonly requests: ThreadRequest[] = [];
  isTerminated = false;

  postMessage(request: ThreadRequest): void {
    this.requests.push(request);
    if (request.kind === 'listen') this.reply({ kind: 'listening', id: request.id, addresses: request.listeners });
  }

  reply(reply: ThreadReply): void {
    this.emit('message', reply);
  }

  async terminate(): Promise<number> {
    this.isTerminated = true;
    this.emit('exit', 1);
    return 1;
  }
}

async function startFake(more: { log?: Logger; onFailure?: (error: Error) => void } = {}) {
  const worker = new FakeWorker();
  const clock = new VirtualClock();
  const thread = new DnsThread({ worker, clock, log: silentLogger, ...more });
  await thread.start([LOCAL]);
  return { worker, clock, thread };
}

function failureOf(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function* unreadable(): AsyncGenerator<string> {
  yield* [];
  throw new Error('the disk is gone');
}

describe('the handle', () => {
  test('a change that is not acknowledged within five seconds has failed, and says when to try again', async () => {
    const { thread, clock } = await startFake();
    const failure = failureOf(thread.apply(CHANGE));
    await clock.advance(5_000);
    expect(await failure).toMatchObject({
      code: 'dns-serving-failed',
      retryAfterMs: expect.any(Number),
    });
  });

  test('acknowledgements may come late, twice or for nobody', async () => {
    const { thread, clock, worker } = await startFake();
    const late = failureOf(thread.apply(CHANGE));
    await clock.advance(5_000);
    expect(await late).toMatchObject({ code: 'dns-serving-failed' });
    worker.reply({ kind: 'serving', id: 2, zones: [] });
    worker.reply({ kind: 'serving', id: 99, zones: [] });
    const second = thread.apply(CHANGE);
    worker.reply({ kind: 'serving', id: 3, zones: [] });
    worker.reply({ kind: 'serving', id: 3, zones: [] });
    await second;
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('a thread that ends unasked fails what waits for it and is told once', async () => {
    const failures: Error[] = [];
    const { thread, worker } = await startFake({ onFailure: (error) => failures.push(error) });
    const applied = thread.apply(CHANGE);
    worker.emit('error', new Error('out of memory'));
    worker.emit('exit', 1);
    await expect(applied).rejects.toMatchObject({ code: 'dns-serving-failed' });
    await expect(thread.apply(CHANGE)).rejects.toMatchObject({ code: 'stopped' });
    expect(failures).toHaveLength(1);
  });

  test('stopping ends a thread that does not answer', async () => {
    const failures: Error[] = [];
    const { thread, worker, clock } = await startFake({ onFailure: (error) => failures.push(error) });
    const failure = failureOf(thread.apply(CHANGE));
    const stopped = thread.stop();
    await clock.advance(2_000);
    await stopped;
    expect(await failure).toMatchObject({ code: 'stopped' });
    expect(worker.isTerminated).toBe(true);
    expect(failures).toEqual([]);
    await thread.stop();
  });

  test('a thread that is not started refuses, and can be stopped', async () => {
    const thread = new DnsThread({ worker: new FakeWorker(), clock: new VirtualClock(), log: silentLogger });
    await expect(thread.apply(CHANGE)).rejects.toMatchObject({ code: 'stopped' });
    await thread.stop();
  });

  test('log lines of the thread come out of the broker’s logger', async () => {
    const lines: [LogFields, string][] = [];
    const log = { ...silentLogger, warn: (fields: LogFields, message: string) => void lines.push([fields, message]) };
    const { worker } = await startFake({ log });
    worker.reply({ kind: 'log', level: 'warn', fields: { apex: 'x' }, message: 'hello' });
    expect(lines).toEqual([[{ apex: 'x' }, 'hello']]);
  });
});

describe('the real thread', () => {
  const threads: DnsThread[] = [];

  afterEach(async () => {
    await Promise.all(threads.splice(0).map((thread) => thread.stop()));
  });

  async function startReal(): Promise<{ thread: DnsThread; port: number }> {
    const worker = new Worker(new URL('thread.ts', import.meta.url), { execArgv: ['--conditions=lanyard-source'] });
    const thread = new DnsThread({ worker, clock: systemClock, log: silentLogger });
    threads.push(thread);
    const [address] = await thread.start([LOCAL]);
    return { thread, port: address?.port ?? 0 };
  }

  test('a change is seen by every query after its acknowledgement', async () => {
    const { thread, port } = await startReal();
    await thread.serve([inPages()]);
    expect((await query(port)).rcode).toBe(RCODE.NXDOMAIN);
    await thread.apply({ ...CHANGE, add: [{ owner: NAME, type: 'A', data: '10.0.0.9' }] });
    expect((await query(port)).answers).toEqual([`${NAME} A 60 10.0.0.9`]);
    await thread.serve([inPages({ serial: 20 })]);
    expect((await query(port)).authorities).toEqual([expect.stringContaining(' 20 60')]);
  });

  test('zones are served when all of their pages are there, until then those before', async () => {
    const { thread, port } = await startReal();
    const seen: unknown[] = [];
    async function* pages() {
      yield JSON.stringify([{ owner: NAME, type: 'A', data: '10.0.0.9' }]);
      seen.push((await query(port)).rcode);
      yield JSON.stringify([{ owner: `z.${NAME}`, type: 'A', data: '10.0.0.8' }]);
    }
    await thread.serve([inPages()]);
    await thread.serve([inPages({ pages: pages() })]);
    expect(seen).toEqual([RCODE.NXDOMAIN]);
    expect((await query(port)).answers).toEqual([`${NAME} A 60 10.0.0.9`]);
  });

  test('a page that is none, and one that cannot be read, leave everything as it was', async () => {
    const { thread, port } = await startReal();
    await thread.serve([inPages()]);
    for (const page of ['[{"owner":1}]', '{}', '[null]', 'nonsense']) {
      async function* pages() {
        yield page;
      }
      await expect(thread.serve([inPages({ pages: pages() })])).rejects.toMatchObject({ code: 'dns-serving-failed' });
    }
    await expect(thread.serve([inPages({ pages: unreadable() })])).rejects.toThrow('the disk is gone');
    expect((await query(port)).rcode).toBe(RCODE.NXDOMAIN);
  });

  test('a bad record, an unknown zone and a port in use are told by their codes', async () => {
    const { thread, port } = await startReal();
    await expect(thread.apply(CHANGE)).rejects.toMatchObject({ code: 'dns-serving-failed' });
    await thread.serve([inPages()]);
    const bad = thread.apply({ ...CHANGE, add: [{ owner: NAME, type: 'A', data: 'nonsense' }] });
    await expect(bad).rejects.toMatchObject({ code: 'dns-record-refused' });
    const unknown = thread.apply({ ...CHANGE, apex: 'elsewhere.example' });
    await expect(unknown).rejects.toMatchObject({ code: 'dns-serving-failed' });
    const worker = new Worker(new URL('thread.ts', import.meta.url), { execArgv: ['--conditions=lanyard-source'] });
    const second = new DnsThread({ worker, clock: systemClock, log: silentLogger });
    threads.push(second);
    await expect(second.start([{ host: '127.0.0.1', port }])).rejects.toMatchObject({ code: 'listener-failed' });
  });

  test('it answers while the broker’s own thread is stuck', async () => {
    const { thread, port } = await startReal();
    await thread.serve([inPages()]);
    const ask = buildQuery('alpha.devices.example.com', TYPE.A).toString('hex');
    // This thread does nothing but wait for it, event loop and all.
    const script = `
      const socket = require('node:dgram').createSocket('udp4');
      socket.on('message', (answer) => { process.stdout.write(answer.toString('hex')); socket.close(); });
      socket.send(Buffer.from('${ask}', 'hex'), ${port}, '127.0.0.1');`;
    const answer = execFileSync(process.execPath, ['-e', script], { timeout: 20_000 });
    expect(readReply(Buffer.from(answer.toString(), 'hex')).answers).toHaveLength(1);
  });
});

/** The example zone with a page for each record. */
function inPages(changes: Partial<ZoneSource> = {}): ZoneSource {
  const { records } = exampleSnapshot;
  async function* pages() {
    for (const record of records) yield JSON.stringify([record]);
  }
  return { ...exampleSnapshot, pages: pages(), ...changes };
}

async function query(port: number) {
  const socket = createSocket('udp4');
  socket.send(buildQuery(NAME, TYPE.A), port, '127.0.0.1');
  const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
  socket.close();
  return readReply(message);
}
