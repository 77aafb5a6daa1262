/** The process that a part of a crowd lives in: takes commands from the run that started it, and ends with it. */
import process from 'node:process';
import { describeError, systemClock } from '@lanyard/sdk/kernel';
import type { Timer } from '@lanyard/sdk/kernel';
import type { Happening } from '../../world/happening.ts';
import { toWorker } from './crowd-messages.ts';
import type { CrowdReport } from './crowd-messages.ts';
import { LocalCrowd } from './local-crowd.ts';

/** Often enough for a person who watches, seldom enough to cost nothing. */
const REPORT_MS = 100;

let happenings: Happening[] = [];
let made = 0;
let timer: Timer | undefined;

const crowd = new LocalCrowd({
  clock: systemClock,
  tell: (happening) => {
    happenings.push(happening);
    timer ??= systemClock.setTimer(REPORT_MS, report);
  },
  onMade: (count) => {
    made += count;
    timer ??= systemClock.setTimer(REPORT_MS, report);
  },
});

function report(): void {
  timer?.cancel();
  timer = undefined;
  if (made > 0) send({ kind: 'made', count: made });
  if (happenings.length > 0) process.send?.({ kind: 'happened', happenings });
  made = 0;
  happenings = [];
}

function send(said: CrowdReport): void {
  process.send?.(said);
}

async function hear(given: unknown): Promise<void> {
  const { id, command } = toWorker.parse(given);
  try {
    if (command.kind === 'end') process.exit(0);
    await crowd.obey(command);
    // What happened meanwhile is known before the answer is.
    report();
    send({ kind: 'done', id, standing: crowd.standing() });
  } catch (error) {
    send({ kind: 'failed', id, message: describeError(error) });
  }
}

process.on('message', (given) => void hear(given));
// The run has ended, however that came about.
process.on('disconnect', () => process.exit(0));
// Ctrl-C goes to the whole group, and it is the run that decides what it means.
process.on('SIGINT', () => {});
