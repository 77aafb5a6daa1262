/** How long the issuer takes to find whose turn it is, when a million appliances are known and a thousand are due. */
import { loadavg } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Order } from '../../broker/src/certificates/order.ts';
import { Reminders } from '../../broker/src/certificates/reminders.ts';
import { Turns } from '../../broker/src/certificates/schedule/turns.ts';
import { VirtualClock } from '../../sdk/src/testing/virtual-clock.ts';

const { values } = parseArgs({
  options: {
    known: { type: 'string', default: '1000000' },
    due: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '20' },
  },
});
const known = Number(values.known);
const due = Number(values.due);
const rounds = Number(values.rounds);

const HOUR_MS = 3_600_000;
const clock = new VirtualClock();
const csr = new Uint8Array();

process.stderr.write(`${known} known, ${due} due, ${rounds} rounds; load before ${loadavg()[0]?.toFixed(1)}\n`);
const turns = new Turns({ placesAtMs: () => 0, actsAtMs: () => 0 });
for (let number = 0; number < known; number++) turns.set(orderOf(number), clock.nowMs() + HOUR_MS + number);
const turn = median(Array.from({ length: rounds }, () => timed(takeDue)));

let reminded = 0;
const reminders = new Reminders({ clock, remind: () => void (reminded += 1) });
for (let number = 0; number < known; number++) reminders.set(`appliance-${number}`, clock.nowMs() + HOUR_MS + number);
await reminders.start();
const reminder = median(await eachRound(remindDue));
process.stdout.write(`${JSON.stringify({ known, due, turnMs: turn, reminderMs: reminder })}\n`);

/** A thousand orders become due among the million that wait, and each is taken when it is its turn. */
function takeDue(): void {
  const nowMs = clock.nowMs();
  for (let number = 0; number < due; number++) turns.set(orderOf(known + number), nowMs);
  let taken = 0;
  while (turns.next(nowMs) !== undefined) taken += 1;
  if (taken !== due) throw new Error(`${taken} orders had their turn instead of ${due}`);
}

/** A thousand of a million connected appliances are to be reminded in the same instant. */
async function remindDue(): Promise<number> {
  reminded = 0;
  const startMs = performance.now();
  for (let number = 0; number < due; number++) reminders.set(`due-${number}`, clock.nowMs());
  await clock.advance(0);
  if (reminded !== due) throw new Error(`${reminded} were reminded instead of ${due}`);
  return performance.now() - startMs;
}

function orderOf(number: number): Order {
  const names = [`a${number}.devices.example.com`];
  const state = { kind: 'waiting', notBeforeMs: 0, tries: 0 } as const;
  return {
    id: `order-${number}`,
    deviceId: `appliance-${number}`,
    names,
    keyHash: '',
    csr,
    requestedAtMs: 0,
    failures: 0,
    state,
  };
}

function timed(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

async function eachRound(work: () => Promise<number>): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) taken.push(await work());
  return taken;
}

function median(all: readonly number[]): number {
  const middle = all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? Number.NaN;
  return Math.round(middle * 10) / 10;
}
