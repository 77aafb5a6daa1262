import { expect, test } from 'vitest';
import { altered, objectors, watchedRun } from './test-run.ts';

test('books in which two appliances have one name', async () => {
  const outcome = await watchedRun({
    for: '1d',
    between: (ports) => ({
      ...ports,
      appliances: altered(ports.appliances, {
        find: async (deviceId) => {
          const [found, first] = await Promise.all([
            ports.appliances.find(deviceId),
            ports.appliances.find('pretend-0000001'),
          ]);
          return found && first && deviceId === 'pretend-0000002' ? { ...found, label: first.label } : found;
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(expect.arrayContaining(['only-bound-names', 'own-messages-only']));
  expect(outcome.shown.map(({ detail }) => detail)).toContainEqual(
    expect.stringMatching(/was made for a key that it has not asked for$/),
  );
});

test('a certificate with a name too many', async () => {
  const outcome = await watchedRun({
    for: '1d',
    crypto: (sound) => ({
      ...sound,
      ...(sound.maker && {
        maker: {
          readRequest: (der) => {
            const draft = sound.maker?.readRequest(der);
            if (draft === undefined) throw new Error('no maker');
            return { ...draft, names: [...draft.names, `www.${draft.names[0]}`] };
          },
        },
      }),
    }),
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, {
        newOrder: ({ names }, signal) =>
          ports.authority.newOrder({ names: [...names, ...names.map((name) => `www.${name}`)] }, signal),
      }),
    }),
  });
  expect(objectors(outcome)).toContain('only-bound-names');
  expect(outcome.shown[0]?.detail).toMatch(/^a certificate was made for .*, www\..* instead of /);
});
