/** What was acknowledged is there after the process was killed, whatever it was doing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '@lanyard/sdk/testing';
import { openInlineStore } from '../../broker/src/store/inline-store.ts';

const LIVES = 5;
const WRITER = new URL('store-writer.ts', import.meta.url).pathname;
const APEX = 'devices.example.com';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lanyard-crash-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Everything that the writer saw acknowledged before it was killed. */
async function lifeOf(path: string, life: number, acknowledgements: number): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, ['--conditions=lanyard-source', WRITER, path, `${life}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const acknowledged: Acknowledged[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [id = '', serial] = line.split(' ');
    acknowledged.push({ id, serial: Number(serial) });
    // The others are in the middle of their groups; what they still print before the signal arrives counts, too.
    if (acknowledged.length === acknowledgements) child.kill('SIGKILL');
  }
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
  return acknowledged;
}

interface Acknowledged {
  readonly id: string;
  readonly serial: number;
}

test('killed again and again, the store keeps everything that it acknowledged, and nothing by halves', async () => {
  const path = join(folder, 'lanyard.sqlite');
  const random = seededRandom(20_261_122);
  const acknowledged: Acknowledged[] = [];
  for (let life = 0; life < LIVES; life++) {
    acknowledged.push(...(await lifeOf(path, life, 1 + Math.floor(random.uniform() * 400))));
    const store = openInlineStore(path);
    const { serial, records } = await store.zones.load(APEX);
    const texts = new Set(records.map(({ data }) => data));
    const lost = [];
    for (const each of acknowledged) {
      const { latestCertificate, openOrder } = await store.orders.dossier(`appliance-${each.id}`);
      const isThere = latestCertificate?.fingerprint === each.id && openOrder === undefined;
      if (!isThere || !texts.has(each.id) || each.serial > serial) lost.push(each.id);
    }
    // Each record was a change of its own: a serial without its record, or the other way, would be half of one.
    expect(serial).toBe(records.length + 1);
    store.close();
    expect(lost).toEqual([]);
    using database = new DatabaseSync(path);
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    const orphans = database.prepare(
      'SELECT count(*) AS n FROM appliances WHERE label NOT IN (SELECT label FROM labels)',
    );
    expect(orphans.get()?.['n']).toBe(0);
    const keyless = database.prepare(
      'SELECT count(*) AS n FROM orders WHERE key_hash NOT IN (SELECT key_hash FROM keys)',
    );
    expect(keyless.get()?.['n']).toBe(0);
  }
  expect(acknowledged.length).toBeGreaterThan(LIVES);
});
