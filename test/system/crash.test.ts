/** The broker is killed over and over while appliances get their first certificates; nothing is lost, nothing doubled. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openTown } from '@lanyard/simulator';
import type { Town } from '@lanyard/simulator';
import { decode, encode } from 'dns-packet';
import { expect, onTestFinished, test } from 'vitest';
import { LogFile } from '../support/log-file.ts';
import type { LogLine } from '../support/log-file.ts';
import { PatientAuthority } from '../support/patient-authority.ts';

/** The broker dies after this many steps of orders since its last start. */
const DEATHS = [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6] as const;

/**
 * So many appliances are switched on before each death. An order takes ten steps or more, so however many steps a quick
 * machine makes until the news of the awaited one has arrived, the next life of the broker has orders to work on.
 */
const NEWCOMERS = 2;

const APPLIANCES = DEATHS.length * NEWCOMERS;

/** How many of them at least must meet orders under way, or the test shows nothing. */
const MEANT = 10;

/** For everything that follows one start of the broker, on a machine under load. */
const PATIENCE_MS = 120_000;

test('a broker that is killed twelve times certifies everybody once and leaves no challenge record behind', async () => {
  const authority = new PatientAuthority();
  const town = await openTown({ appliances: APPLIANCES, sites: 7, seed: 1, startAuthority: authority.start });
  onTestFinished(() => town.close());
  await speakUp(town);
  const log = new LogFile(town.broker.logPath);
  const names = town.appliances.map(({ deviceId, name }) => [deviceId, name]);

  const isStillOpen: boolean[] = [];
  for (const [death, steps] of DEATHS.entries()) {
    const before = (await log.lines()).filter(isStep).length;
    const newcomers = town.appliances.slice(death * NEWCOMERS, (death + 1) * NEWCOMERS);
    await Promise.all(newcomers.map((appliance) => appliance.powerOn()));
    await log.until((lines) => lines.filter(isStep).length >= before + steps, AbortSignal.timeout(PATIENCE_MS));
    await town.broker.kill();
    isStillOpen.push(openOrders(town) > 0);
    await town.broker.start();
    // After several short-lived lines they would pause for minutes before they try again, as they should.
    const switchedOn = town.appliances.slice(0, (death + 1) * NEWCOMERS);
    const waiting = switchedOn.filter((appliance) => !isCertified(appliance));
    await Promise.all(waiting.map((appliance) => appliance.reboot()));
  }
  await Promise.all(town.appliances.map((appliance) => appliance.until('certified', isCertified, PATIENCE_MS)));
  await log.until(
    (lines) => lines.filter(isClosing).length >= 1 && openOrders(town) === 0,
    AbortSignal.timeout(PATIENCE_MS),
  );

  expect(isStillOpen.filter((isOpen) => isOpen).length).toBeGreaterThanOrEqual(MEANT);
  // As many orders as appliances: each was finished after its crash, and none was made anew.
  expect(authority.statistics()).toMatchObject({
    certificates: APPLIANCES,
    orders: APPLIANCES,
    failedValidations: 0,
    failedIssuances: 0,
  });
  const records = await Promise.all(town.appliances.map(({ name }) => challengeRecords(town, name)));
  expect(records.flat()).toEqual([]);
  expect(await enrolledNames(town)).toEqual(names.toSorted(byId));
  for (const visit of await Promise.all(town.appliances.map((appliance) => town.visit(appliance)))) {
    expect(visit).toMatchObject({ hasPadlock: true });
  }
  await town.broker.stop();
  expect(ask(town, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  expect(ask(town, 'SELECT device_id, count(*) AS certificates FROM certificates GROUP BY device_id')).toEqual(
    names.toSorted(byId).map(([deviceId]) => ({ device_id: deviceId, certificates: 1 })),
  );
  expect(ask(town, "SELECT * FROM zone_records WHERE type = 'TXT'")).toEqual([]);
});

/** The steps of orders are told at debug level only. */
async function speakUp({ broker }: Town): Promise<void> {
  await broker.stop();
  await appendFile(broker.settingsPath, 'log:\n  level: debug\n');
  await broker.start();
}

function isCertified(appliance: Town['appliances'][number]): boolean {
  return appliance.certificate() !== undefined;
}

function byId([one = '']: readonly string[], [other = '']: readonly string[]): number {
  return one < other ? -1 : 1;
}

function isStep({ msg }: LogLine): boolean {
  return msg === 'order advanced' || msg === 'certificate issued';
}

function isClosing({ msg, event }: LogLine): boolean {
  return msg === 'order advanced' && event === 'cleared';
}

function openOrders(town: Town): number {
  return ask(town, "SELECT id FROM orders WHERE kind <> 'issued'").length;
}

/** Looks into the database from outside, as an operator could: WAL lets readers in at any time. */
function ask({ directory }: Town, question: string): readonly unknown[] {
  const database = new DatabaseSync(join(directory, 'data', 'lanyard.sqlite'), { readOnly: true });
  try {
    return database
      .prepare(question)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

async function enrolledNames({ admin }: Town): Promise<unknown> {
  const list: unknown = await admin.get('/v1/appliances?limit=500');
  const rows: unknown = typeof list === 'object' && list !== null && 'appliances' in list ? list.appliances : undefined;
  if (!Array.isArray(rows)) throw new Error('the admin API listed no appliances');
  return rows.map(({ deviceId, name }: Record<string, unknown>) => [deviceId, name]);
}

async function challengeRecords({ nameServer }: Town, name: string): Promise<readonly unknown[]> {
  const socket = createSocket('udp4');
  try {
    const question = encode({ type: 'query', id: 1, questions: [{ type: 'TXT', name: `_acme-challenge.${name}` }] });
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
    socket.send(question, nameServer.port, nameServer.host);
    const [message]: unknown[] = await answered;
    if (!Buffer.isBuffer(message)) throw new Error('the name server answered nothing');
    return decode(message).answers ?? [];
  } finally {
    socket.close();
  }
}
