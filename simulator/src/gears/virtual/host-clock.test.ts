import { createRequire, syncBuiltinESMExports } from 'node:module';
import { afterEach, expect, test } from 'vitest';
import { busyRun } from './test-busy-run.ts';

const nodeCrypto: Record<string, unknown> = createRequire(import.meta.url)('node:crypto');
const RealDate = globalThis.Date;
const undo: (() => void)[] = [];

afterEach(() => {
  for (const restore of undo.splice(0)) restore();
  syncBuiltinESMExports();
});

/** Where the time, the timers and the dice of the machine were asked for since it was called, with who asked. */
function watchHost(): readonly string[] {
  const asked: string[] = [];
  const note = (what: string): void => {
    const callers = (new Error().stack ?? '').split('\n').slice(3, 6);
    // The test runner has a clock to look at.
    if (!/node_modules\/(vitest|@vitest|tinypool)/.test(callers[0] ?? '')) asked.push(`${what}: ${callers.join()}`);
  };
  const watch = (holder: object, ...names: readonly string[]): void => {
    for (const name of names) {
      const descriptor = Object.getOwnPropertyDescriptor(holder, name);
      const real: unknown = Reflect.get(holder, name);
      if (typeof real !== 'function') throw new Error(`there is no ${name} to watch`);
      const watched = function watched(this: unknown, ...given: unknown[]): unknown {
        note(name);
        return Reflect.apply(real, this, given);
      };
      Object.defineProperty(holder, name, { configurable: true, writable: true, value: Object.assign(watched, real) });
      undo.push(() => {
        if (descriptor === undefined) Reflect.deleteProperty(holder, name);
        else Object.defineProperty(holder, name, descriptor);
      });
    }
  };
  globalThis.Date = new Proxy(RealDate, {
    construct(target, given, self) {
      if (given.length === 0) note('new Date()');
      return Reflect.construct(target, given, self);
    },
    get(target, name, self) {
      if (name === 'now') note('Date.now');
      return Reflect.get(target, name, self);
    },
  });
  undo.push(() => (globalThis.Date = RealDate));
  watch(globalThis, 'setTimeout', 'setInterval');
  watch(Math, 'random');
  watch(performance, 'now');
  watch(process, 'hrtime');
  watch(globalThis.crypto, 'randomUUID', 'getRandomValues');
  watch(
    nodeCrypto,
    'randomBytes',
    'randomUUID',
    'randomInt',
    'randomFillSync',
    'generateKeyPairSync',
    'generateKeyPair',
  );
  syncBuiltinESMExports();
  return asked;
}

test.each(['stub', 'pooled'] as const)('%s: a run asks the machine for neither time nor dice', async (crypto) => {
  const asked = watchHost();
  await busyRun({ crypto, appliances: 8, days: 65 });
  expect(asked).toEqual([]);
});

test('real: only the library under the ACME adapter looks at the clock', async () => {
  const asked = watchHost();
  await busyRun({ crypto: 'real', appliances: 2, days: 2 });
  const elsewhere = asked.filter((line) => !/node_modules\/acme-client/.test(line));
  expect(elsewhere).toEqual([]);
  // It asks how old its copy of the directory is.
  expect(new Set(asked.map((line) => line.split(':')[0]))).toEqual(new Set(['Date.now']));
});

test('whoever does ask is found', async () => {
  const asked = watchHost();
  const { randomBytes } = await import('node:crypto');
  Date.now();
  String(new Date());
  Math.random();
  randomBytes(1);
  expect(asked).toHaveLength(4);
});
