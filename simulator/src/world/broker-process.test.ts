/** The broker as a process of its own: its deaths are noticed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@lanyard/sdk/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BrokerProcess } from './broker-process.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanyard-broker-process-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('a broker that ends while it starts is an error that leads to its log', async () => {
  const broker = new BrokerProcess({ directory, clock: systemClock });
  await writeFile(broker.settingsPath, 'no: settings\n');
  await expect(broker.start()).rejects.toMatchObject({ message: expect.stringContaining(broker.logPath) });
  await broker.stop();
});
