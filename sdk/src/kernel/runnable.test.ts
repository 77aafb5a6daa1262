import { expect, test } from 'vitest';
import { inOrder } from './runnable.ts';
import type { Runnable } from './runnable.ts';

function parts(failing: readonly string[] = []) {
  const events: string[] = [];
  const act = async (event: string): Promise<void> => {
    events.push(event);
    if (failing.includes(event)) throw new Error(event);
  };
  const part = (name: string): Runnable => ({ start: () => act(`start ${name}`), stop: () => act(`stop ${name}`) });
  return { events, whole: inOrder([part('a'), part('b'), part('c')]) };
}

test('parts start in order and stop the other way, once', async () => {
  const { events, whole } = parts();
  await whole.start();
  await whole.stop();
  await whole.stop();
  expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
});

test('when one fails to start, it and those before it are stopped', async () => {
  const { events, whole } = parts(['start b', 'stop a']);
  await expect(whole.start()).rejects.toThrow('start b');
  expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('one that fails to stop keeps none of the others from it', async () => {
  const { events, whole } = parts(['stop c', 'stop b']);
  await whole.start();
  await expect(whole.stop()).rejects.toThrow('stop c');
  expect(events.slice(3)).toEqual(['stop c', 'stop b', 'stop a']);
});

test('stopping before the start does nothing', async () => {
  const { events, whole } = parts();
  await whole.stop();
  expect(events).toEqual([]);
});
