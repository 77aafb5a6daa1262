/** Makes the events of a scenario happen at their times, again where they repeat, and end where they last. */
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
    const pick = new Picker({ boxes, random: seededRandom((seed * 31 + index) >>> 0) });
    schedule(world, event, pick, event.at, 1);
  }
}

function schedule(world: VirtualWorld, event: ScenarioEvent, pick: Picker, delayMs: number, occurrence: number): void {
  const { clock } = world;
  clock.setTimer(delayMs, () => {
    const say = (phase: 'begins' | 'ends'): void =>
      world.tell({ atMs: clock.nowMs(), kind: 'event', what: event.do, phase });
    say('begins');
    const undo = perform(event, { world, pick });
    if (undo && 'for' in event) {
      clock.setTimer(event.for, () => {
        say('ends');
        undo();
      });
    }
    if (event.every === undefined || occurrence >= (event.times ?? Infinity)) return;
    schedule(world, event, pick, event.every, occurrence + 1);
  });
}
