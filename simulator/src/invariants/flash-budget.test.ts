import { expect, test } from 'vitest';
import { objectors, watchedRun } from './test-run.ts';

test('an SDK that keeps far more than a key', async () => {
  const outcome = await watchedRun({
    for: '200d',
    appliances: 2,
    crypto: (sound) => ({
      ...sound,
      ...(sound.keys && {
        keys: {
          ...sound.keys,
          makeKeyPair: async () => {
            const pair = await sound.keys?.makeKeyPair();
            if (pair === undefined) throw new Error('no keys');
            return { ...pair, keyPem: pair.keyPem.padEnd(300_000, 'k') };
          },
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['flash-budget']);
  expect(outcome.total).toBe(2);
});
