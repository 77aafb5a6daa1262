import { expect, test } from 'vitest';
import { VirtualClock } from '@lanyard/sdk/testing';
import { Reminders } from './reminders.ts';

const DAY_MS = 86_400_000;

function bench() {
  const clock = new VirtualClock();
  const reminded: string[] = [];
  const reminders = new Reminders({ clock, remind: (id) => reminded.push(`${id} ${clock.monotonicMs()}`) });
  return { clock, reminders, reminded, at: (ms: number) => clock.nowMs() + ms };
}

test('an appliance is reminded once, at the instant', async () => {
  const { clock, reminders, reminded, at } = bench();
  await reminders.start();
  reminders.set('appliance-2', at(60 * DAY_MS));
  reminders.set('appliance-1', at(5));
  await clock.advance(100 * DAY_MS);
  expect(reminded).toEqual(['appliance-1 5', `appliance-2 ${60 * DAY_MS}`]);
});

test('a later reminder takes the place of an earlier one, and the other way round', async () => {
  const { clock, reminders, reminded, at } = bench();
  await reminders.start();
  reminders.set('appliance-1', at(5));
  reminders.set('appliance-1', at(50));
  reminders.set('appliance-2', at(50));
  reminders.set('appliance-2', at(5));
  await clock.advance(DAY_MS);
  expect(reminded).toEqual(['appliance-2 5', 'appliance-1 50']);
});

test('what is due in the past is due now', async () => {
  const { clock, reminders, reminded, at } = bench();
  await reminders.start();
  await clock.advance(10);
  reminders.set('appliance-1', at(-5));
  await clock.advance(0);
  expect(reminded).toEqual(['appliance-1 10']);
});

test('an appliance that is gone is not reminded', async () => {
  const { clock, reminders, reminded, at } = bench();
  await reminders.start();
  reminders.set('appliance-1', at(5));
  reminders.forget('appliance-1');
  reminders.forget('appliance-2');
  await clock.advance(DAY_MS);
  expect(reminded).toEqual([]);
});

test('a reminder can set the next one', async () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  const reminders: Reminders = new Reminders({
    clock,
    remind(id) {
      times.push(clock.monotonicMs());
      reminders.set(id, clock.nowMs() + 10);
    },
  });
  await reminders.start();
  reminders.set('appliance-1', clock.nowMs());
  await clock.advance(25);
  expect(times).toEqual([0, 10, 20]);
});

test('nothing rings before the start or after the stop', async () => {
  const { clock, reminders, reminded, at } = bench();
  reminders.set('appliance-1', at(5));
  await clock.advance(10);
  expect(reminded).toEqual([]);
  await reminders.start();
  await clock.advance(0);
  expect(reminded).toEqual(['appliance-1 10']);
  reminders.set('appliance-1', at(5));
  await reminders.stop();
  reminders.set('appliance-2', at(5));
  await clock.advance(DAY_MS);
  expect(reminded).toHaveLength(1);
  expect(clock.nextTimerMs()).toBeUndefined();
});
