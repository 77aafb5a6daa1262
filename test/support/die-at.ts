/**
 * Loaded into a broker before its program: it kills itself at the point that a file names, as a power cut would. The
 * file is `?at=` of this module's URL, and is gone before the death, so that the next life goes on past the point.
 *
 * A point is `before` or `after`, what is done, and for the n-th time since the file was written: `after order 2`.
 */
import { readFileSync, rmSync } from 'node:fs';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { AcmeAuthority } from '../../broker/src/acme/acme-authority.ts';
import { OwnZones } from '../../broker/src/dns/own-zones.ts';
import { SqliteStore } from '../../broker/src/store/sqlite-store.ts';

type Replacement = (method: () => unknown, self: unknown, given: readonly unknown[]) => unknown;

const file = new URL(import.meta.url).searchParams.get('at') ?? '';
const passed = new Map<string, number>();

// The threads of database and DNS die with the process.
if (isMainThread) {
  for (const name of ['newOrder', 'order', 'authorization', 'trigger', 'finalize', 'certificate']) {
    watch(AcmeAuthority.prototype, name, () => name);
  }
  for (const name of ['put', 'clear']) watch(OwnZones.prototype, name, () => name);
  // The ports of the store are made with it, and handed on before it starts.
  replace(SqliteStore.prototype, 'start', (start, store) => {
    if (!(store instanceof SqliteStore)) throw new Error('somebody else’s store was started');
    for (const name of ['accept', 'place', 'save', 'complete', 'markInstalled']) {
      watch(store.orders, name, ([order]) => `${name} ${stateOf(order)}`.trimEnd());
    }
    watch(store.zones, 'change', () => 'change');
    return start();
  });
}

/** Puts a possible death on either side of a method. */
function watch(owner: object, name: string, actOf: (given: readonly unknown[]) => string): void {
  replace(owner, name, async (method, _self, given) => {
    const act = actOf(given);
    pass(`before ${act}`);
    const result = await method();
    pass(`after ${act}`);
    return result;
  });
}

function replace(owner: object, name: string, by: Replacement): void {
  const method: unknown = Reflect.get(owner, name);
  if (typeof method !== 'function') throw new Error(`there is no ${name} any more`);
  Reflect.set(owner, name, function replaced(this: unknown, ...given: readonly unknown[]): unknown {
    return by(() => Reflect.apply(method, this, given), this, given);
  });
}

/** A state is saved under its name: each is a point of its own. */
function stateOf(order: unknown): string {
  if (typeof order !== 'object' || order === null || !('state' in order)) return '';
  const { state } = order;
  return typeof state === 'object' && state !== null && 'kind' in state ? String(state.kind) : '';
}

function pass(point: string): void {
  const wanted = read();
  if (wanted === '') return passed.clear();
  const times = (passed.get(point) ?? 0) + 1;
  passed.set(point, times);
  if (wanted !== point && wanted !== `${point} ${times}`) return;
  rmSync(file);
  process.kill(process.pid, 'SIGKILL');
}

function read(): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
