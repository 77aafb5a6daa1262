import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger, systemClock, type Clock, type LanyardError } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { SqliteStore } from './sqlite-store.ts';

let folder = '';
const workers: Worker[] = [];
const failures: LanyardError[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lanyard-store-'));
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  failures.length = 0;
  rmSync(folder, { recursive: true, force: true });
});

function realThread(): Worker {
  return keep(new Worker(new URL('thread.ts', import.meta.url), { execArgv: ['--conditions=lanyard-source'] }));
}

/** A thread that opens at once and then does as the script says with each `message`. */
function scriptedThread(script: string): () => Worker {
  const source = `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', (message) => {
      if (message.kind === 'open') return parentPort.postMessage({ kind: 'opened' });
      ${script}
    });`;
  return () => keep(new Worker(source, { eval: true }));
}

function muteThread(): Worker {
  return keep(new Worker('require("node:worker_threads").parentPort.on("message", () => {})', { eval: true }));
}

function keep(worker: Worker): Worker {
  workers.push(worker);
  return worker;
}

function storeOf(startThread: () => Worker, clock: Clock = systemClock, path = join(folder, 'lanyard.sqlite')) {
  return new SqliteStore({ startThread, path, clock, log: silentLogger, onFailure });
}

function onFailure(error: LanyardError): void {
  failures.push(error);
}

function failedWith(code: string) {
  return expect.objectContaining({ status: 'rejected', reason: expect.objectContaining({ code }) });
}

test('nothing happens before start, and every call says so', async () => {
  const store = storeOf(realThread);
  expect(workers).toEqual([]);
  await expect(store.appliances.count()).rejects.toMatchObject({ code: 'store-failed' });
  await store.stop();
});

test('a stop waits for what was asked before, and refuses what is asked after', async () => {
  const store = storeOf(realThread);
  await store.start();
  const loads = Array.from({ length: 1_000 }, (_, n) => store.zones.load(`zone-${n}`));
  const stopped = store.stop();
  await expect(store.appliances.count()).rejects.toMatchObject({ code: 'stopped' });
  expect(await Promise.all(loads)).toHaveLength(1_000);
  await stopped;
  await store.stop();
  expect(failures).toEqual([]);
});

test('a database that cannot be opened fails the start and is not called a failure later', async () => {
  const path = join(folder, 'letter.txt');
  writeFileSync(path, 'Dear Sir or Madam, '.repeat(100));
  const store = storeOf(realThread, systemClock, path);
  await expect(store.start()).rejects.toMatchObject({ code: 'store-failed' });
  await store.stop();
  expect(failures).toEqual([]);
});

test('a thread that cannot be started fails the start', async () => {
  const store = storeOf(() => keep(new Worker('throw new Error("no such module")', { eval: true })));
  await expect(store.start()).rejects.toMatchObject({ code: 'store-failed' });
  expect(failures).toEqual([]);
});

test('the thread’s death fails every call, and is reported once', async () => {
  const store = storeOf(scriptedThread('if (message.id === 3) throw new Error("defect")'));
  await store.start();
  const calls = await Promise.allSettled(Array.from({ length: 5 }, () => store.appliances.count()));
  expect(calls).toEqual(Array.from({ length: 5 }, () => failedWith('store-failed')));
  await expect(store.orders.openOrders()).rejects.toMatchObject({ code: 'store-failed' });
  expect(failures).toEqual([expect.objectContaining({ code: 'store-failed' })]);
  await store.stop();
});

test('a thread that ends by itself is a failure, too', async () => {
  const store = storeOf(scriptedThread('process.exit(0)'));
  await store.start();
  await expect(store.appliances.count()).rejects.toMatchObject({ code: 'store-failed' });
  expect(failures).toHaveLength(1);
});

test('a thread that hangs is given up in bounded time', async () => {
  const clock = new VirtualClock();
  const store = storeOf(scriptedThread('while (true) {}'), clock);
  await store.start();
  const call = Promise.allSettled([store.appliances.count()]);
  await clock.advance(60_000);
  expect(await call).toEqual([failedWith('store-failed')]);
  expect(failures).toHaveLength(1);
});

test('a thread that never opens the database fails the start in bounded time', async () => {
  const clock = new VirtualClock();
  const store = storeOf(muteThread, clock);
  const start = Promise.allSettled([store.start()]);
  await clock.advance(120_000);
  expect(await start).toEqual([failedWith('store-failed')]);
});

test('a thread that does not close is ended by force', async () => {
  const clock = new VirtualClock();
  const store = storeOf(scriptedThread(''), clock);
  await store.start();
  const call = Promise.allSettled([store.appliances.count()]);
  const stopped = store.stop();
  await clock.advance(10_000);
  await stopped;
  expect(await call).toEqual([failedWith('stopped')]);
  expect(failures).toEqual([]);
});

test('no more calls wait than there is room for, and the rest are told when to come back', async () => {
  const store = storeOf(scriptedThread(''), new VirtualClock());
  await store.start();
  const waiting = Array.from({ length: 4_096 }, () => store.appliances.count());
  await expect(store.appliances.count()).rejects.toMatchObject({ code: 'store-failed', retryAfterMs: 1_000 });
  await workers[0]?.terminate();
  expect((await Promise.allSettled(waiting)).every(({ status }) => status === 'rejected')).toBe(true);
});

test('an argument that cannot cross to the thread fails its own call only', async () => {
  const store = storeOf(realThread);
  await store.start();
  // @ts-expect-error -- no build contains such a call
  await expect(store.appliances.find(() => 'a function')).rejects.toThrow('could not be cloned');
  expect(await store.appliances.count()).toBe(0);
  await store.stop();
});
