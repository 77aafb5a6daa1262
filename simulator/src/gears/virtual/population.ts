/** When the appliances of a run are switched on for the first time. */
import type { Random } from '@lanyard/sdk/kernel';
import type { Population } from '../../scenarios/scenario.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** People unpack boxes between eight and six, from Monday to Friday; on Monday twice as many as on the other days. */
const OPENS_HOUR = 8;
const OFFICE_HOURS = 10;
const WORKDAYS = [1, 1, 2, 3, 4, 5] as const;

/** Milliseconds after the start of the run, for one appliance. */
export function arrivalMs({ shape, over }: Population['arrivals'], random: Random, startMs: number): number {
  const roll = random.uniform();
  switch (shape) {
    case 'at-once':
      return 0;
    case 'even':
      return roll * over;
    case 'ramp':
      // The rate grows evenly, so that the number grows by its square.
      return Math.sqrt(roll) * over;
    case 'workdays':
      return workdayMs(roll * over, random, startMs);
  }
}

/** Moves an instant into the office hours of its week. */
function workdayMs(wishMs: number, random: Random, startMs: number): number {
  const midnightMs = Math.floor((startMs + wishMs) / DAY_MS) * DAY_MS;
  const weekday = new Date(midnightMs).getUTCDay();
  const chosen = WORKDAYS[Math.floor(random.uniform() * WORKDAYS.length)] ?? 1;
  // The Monday of this week is at most six days back; what lies before the start happens a week later.
  const dayMs = midnightMs + (chosen - (weekday === 0 ? 7 : weekday)) * DAY_MS;
  const atMs = dayMs + (OPENS_HOUR + random.uniform() * OFFICE_HOURS) * HOUR_MS;
  return atMs >= startMs ? atMs - startMs : atMs - startMs + 7 * DAY_MS;
}
