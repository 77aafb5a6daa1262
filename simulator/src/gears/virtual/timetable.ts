/** Makes the events of a scenario happen at their times, again where they repeat, and end where they last. */
import type { Random } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import type { ScenarioEvent } from '../../scenarios/scenario.ts';
import { perform } from './deeds.ts';
import { Picker } from './picker.ts';
import type { VirtualWorld } from './virtual-world.ts';

/** Sets every event's first timer; to be called once, at the start of the run. */
export function startTimetable(world: VirtualWorld, seed: number): void {
  const { boxes, scenario } = world;
  for (const [index, event] of scenario.events.entries()) {
    // Dice of its own for each, so that an event that is left out changes nothing for the others.
    const random = seededRandom((seed * 31 + index) >>> 0);
    const pick = new Picker({ boxes, random });
    schedule({ world, event, pick, random }, event.at, 1);
  }
}

interface Plan {
  readonly world: VirtualWorld;
  readonly event: ScenarioEvent;
  readonly pick: Picker;
  readonly random: Random;
}

function schedule(plan: Plan, delayMs: number, occurrence: number): void {
  const { event, random } = plan;
  const { clock } = plan.world;
  // No dice for those that come on the minute.
  const lateMs = event.jitter === undefined ? 0 : random.uniform() * event.jitter;
  clock.setTimer(delayMs + lateMs, () => begin(plan));
  if (event.every === undefined || occurrence >= (event.times ?? Infinity)) return;
  const { every } = event;
  clock.setTimer(delayMs, () => schedule(plan, every, occurrence + 1));
}

function begin({ world, event, pick }: Plan): void {
  const { clock } = world;
  const ca = 'ca' in event ? event.ca : 0;
  const say = (phase: 'begins' | 'ends'): void =>
    world.tell({ atMs: clock.nowMs(), kind: 'event', what: event.do, phase, ...(ca > 0 && { ca }) });
  say('begins');
  const undo = perform(event, { world, pick });
  if (!undo || !('for' in event)) return;
  clock.setTimer(event.for, () => {
    say('ends');
    undo();
  });
}
