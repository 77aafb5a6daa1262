/** The stores of the broker under their contracts: in a thread of its own as deployed, and in line as simulated. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach } from 'vitest';
import { silentLogger, systemClock } from '@lanyard/sdk/kernel';
import { openInlineStore } from '../../broker/src/store/inline-store.ts';
import { SqliteStore } from '../../broker/src/store/sqlite-store.ts';
import type { StorePorts } from '../../broker/src/store/store-ports.ts';
import { acmeDnsAccountStoreContract } from './acme-dns-account-store.contract.ts';
import { applianceStoreContract } from './appliance-store.contract.ts';
import { foreignStoreContract } from './foreign-store.contract.ts';
import { lookUpContract } from './look-up.contract.ts';
import { orderBudgetContract } from './order-budget.contract.ts';
import { orderPlacementContract } from './order-placement.contract.ts';
import { orderStoreContract } from './order-store.contract.ts';
import { refusedKeyStoreContract } from './refused-key-store.contract.ts';
import { standInContract } from './stand-in.contract.ts';
import { zoneJournalContract } from './zone-journal.contract.ts';

const THREAD = new URL('../../broker/src/store/thread.ts', import.meta.url);

interface OpenStore extends StorePorts {
  close(): Promise<void>;
}

const toUndo: (() => Promise<void>)[] = [];

/** Loads its modules while the test before it runs: starting a thread takes longer than any of these tests. */
let spare = startWorker();

afterAll(async () => {
  await spare.terminate();
});

afterEach(async () => {
  for (const undo of toUndo.splice(0).toReversed()) await undo();
});

for (const [name, open] of [
  ['the threaded store', openThreaded],
  ['the in-line store', openInline],
] as const) {
  for (const contract of [
    orderStoreContract,
    orderPlacementContract,
    orderBudgetContract,
    lookUpContract,
    standInContract,
  ]) {
    contract(name, async () => {
      const { store, reopen } = await subject(open);
      return { orders: store.orders, reopen: async () => (await reopen()).orders };
    });
  }
  applianceStoreContract(name, async () => {
    const { store, reopen } = await subject(open);
    return { appliances: store.appliances, reopen: async () => (await reopen()).appliances };
  });
  refusedKeyStoreContract(name, async () => {
    const { store, reopen } = await subject(open);
    return { store, reopen };
  });
  foreignStoreContract(name, async () => {
    const { store, reopen } = await subject(open);
    return { store, reopen };
  });
  acmeDnsAccountStoreContract(name, async () => {
    const { store, reopen } = await subject(open);
    return { store: store.acmeDns, reopen: async () => (await reopen()).acmeDns };
  });
  zoneJournalContract(name, async () => {
    const { store, reopen, path } = await subject(open);
    return {
      zones: store.zones,
      reopen: async () => (await reopen()).zones,
      async setSerial(apex, serial) {
        using database = new DatabaseSync(path);
        database.prepare('UPDATE zones SET serial = ? WHERE apex = ?').run(serial, apex);
      },
    };
  });
}

async function subject(open: (path: string) => Promise<OpenStore>) {
  const folder = await mkdtemp(join(tmpdir(), 'lanyard-store-'));
  toUndo.push(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'lanyard.sqlite');
  let store = await open(path);
  toUndo.push(() => store.close());
  const reopen = async (): Promise<OpenStore> => {
    await store.close();
    store = await open(path);
    return store;
  };
  return { store, reopen, path };
}

async function openInline(path: string): Promise<OpenStore> {
  const store = openInlineStore(path);
  return { ...store, close: async () => store.close() };
}

async function openThreaded(path: string): Promise<OpenStore> {
  const store = new SqliteStore({
    startThread: takeWorker,
    path,
    clock: systemClock,
    log: silentLogger,
    onFailure: (error) => {
      throw error;
    },
  });
  await store.start();
  const { orders, appliances, zones, foreign, refusedKeys, acmeDns } = store;
  return { orders, appliances, zones, foreign, refusedKeys, acmeDns, close: () => store.stop() };
}

function takeWorker(): Worker {
  const worker = spare;
  spare = startWorker();
  return worker;
}

function startWorker(): Worker {
  return new Worker(THREAD, { execArgv: ['--conditions=lanyard-source'] });
}
