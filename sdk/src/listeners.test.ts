/** Listeners hear what they asked for, and disturb nobody. */
import { expect, test } from 'vitest';
import { Listeners } from './listeners.ts';

interface Events {
  readonly count: number;
  readonly text: string;
}

test('a listener hears its kind until it is taken away', () => {
  const listeners = new Listeners<Events>({ onError: () => {} });
  const heard: number[] = [];
  const remove = listeners.add('count', (value) => void heard.push(value));
  listeners.tell('count', 1);
  listeners.tell('text', 'a');
  remove();
  listeners.tell('count', 2);
  expect(heard).toEqual([1]);
});

test('a listener that throws or rejects is told of, and the others hear all the same', async () => {
  const errors: unknown[] = [];
  const listeners = new Listeners<Events>({ onError: (error) => void errors.push(error) });
  const heard: number[] = [];
  listeners.add('count', () => {
    throw new Error('thrown');
  });
  listeners.add('count', reject);
  listeners.add('count', (value) => void heard.push(value));
  listeners.tell('count', 7);
  await Promise.resolve();
  await Promise.resolve();
  expect(heard).toEqual([7]);
  expect(errors.map(String)).toEqual(['Error: thrown', 'Error: rejected']);
});

/** As an async function is that somebody passes as a listener. */
function reject(): unknown {
  return Promise.reject(new Error('rejected'));
}
