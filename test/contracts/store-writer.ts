/** A process that writes to a store as fast as it can and prints what was acknowledged, until it is killed. */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { silentLogger, systemClock } from '@lanyard/sdk/kernel';
import { SqliteStore } from '../../broker/src/store/sqlite-store.ts';

/** Writers at once, so that groups of several operations are torn apart by the kill. */
const WRITERS = 16;

const [path = '', life = ''] = process.argv.slice(2);
const store = new SqliteStore({
  startThread: () =>
    new Worker(new URL('../../broker/src/store/thread.ts', import.meta.url), {
      execArgv: ['--conditions=lanyard-source'],
    }),
  path,
  clock: systemClock,
  log: silentLogger,
  onFailure: (error) => {
    throw error;
  },
});
await store.start();
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));

async function write(writer: number): Promise<never> {
  for (let turn = 0; ; turn++) {
    const id = `${life}-${writer}-${turn}`;
    const deviceId = `appliance-${id}`;
    const names = [`${id}.devices.example.com`];
    const atMs = turn;
    await store.appliances.enrol({
      deviceId,
      zone: 'devices.example.com',
      label: id,
      identityKeyHash: id,
      status: 'active',
      enrolledAtMs: atMs,
    });
    const csr = new Uint8Array(500);
    const accepted = await store.orders.accept({ orderId: id, deviceId, names, keyHash: id, csr, requestedAtMs: atMs });
    if (accepted.kind !== 'accepted') throw new Error(`${id} was ${accepted.kind}`);
    const record = { owner: `_acme-challenge.${id}`, type: 'TXT', data: id } as const;
    const serial = await store.zones.change('devices.example.com', { add: [record], remove: [] });
    const certificate = { deviceId, orderId: id, names, chain: id, fingerprint: id, keyHash: id, serial: id };
    const dates = { notBeforeMs: 0, notAfterMs: 9, issuedAtMs: 1, authority: 'ca', renewAtMs: 5 };
    const state = { kind: 'issued', fingerprint: id } as const;
    await store.orders.complete({ ...accepted.order, state }, { ...certificate, ...dates });
    // Straight to the pipe: what is printed was acknowledged before, and a kill cannot hold it back.
    writeSync(1, `${id} ${serial}\n`);
  }
}
