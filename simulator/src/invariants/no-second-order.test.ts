import { describe, expect, test } from 'vitest';
import type { Happening } from '../world/happening.ts';
import { noSecondOrder } from './no-second-order.ts';
import { NO_FACTS } from './test-facts.ts';
import { altered, objectors, watchedRun } from './test-run.ts';

test('an adapter that takes a fulfilled order for a failed one has the same key certified again', async () => {
  const misread = new Set<string>();
  const outcome = await watchedRun({
    for: '1d',
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, {
        certificate: async (url, signal) => {
          if (misread.size < 5 && !misread.has(url)) {
            misread.add(url);
            return 'cut off in the middle';
          }
          return await ports.authority.certificate(url, signal);
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['no-second-order']);
  expect(outcome.shown[0]?.detail).toMatch(/^the CA certified key ce0+\w+ a second time$/);
});

test('books that forget what was fulfilled open an order for a key that has its certificate', async () => {
  const outcome = await watchedRun({
    for: '90m',
    appliances: 2,
    between: (ports) => ({
      ...ports,
      // The certificate never arrives, and is asked for again.
      send: (deviceId, message) =>
        message.kind === 'certificate' && message.certificate.kind === 'issued' ? true : ports.send(deviceId, message),
      orders: altered(ports.orders, {
        dossier: async () => ({}),
        accept: async (request) => {
          const acceptance = await ports.orders.accept(request);
          if (acceptance.kind !== 'issued') return acceptance;
          const { keyHash, csr, deviceId, names, requestedAtMs, orderId: id } = request;
          const state = { kind: 'waiting', notBeforeMs: requestedAtMs, tries: 0 } as const;
          return { kind: 'accepted', order: { id, keyHash, csr, deviceId, names, requestedAtMs, failures: 0, state } };
        },
      }),
    }),
  });
  expect(objectors(outcome)).toContain('no-second-order');
  expect(outcome.shown.map(({ detail }) => detail)).toContainEqual(expect.stringMatching(/^order \w+ is for key/));
});

describe('a stand-in renewal', () => {
  const KEY = 'a1'.repeat(32);
  const about = Buffer.from(KEY, 'hex').toString('base64url');
  const opened = (order: string, isStandIn: boolean): Happening => {
    return { atMs: 1, kind: 'order-opened', appliance: 0, order, keyHash: KEY, isStandIn };
  };
  const certified: Happening = { atMs: 1, kind: 'authority', appliance: 0, what: 'certified', about };
  const own = [opened('o1', false), certified];

  test('certifies the key once more, as often as one is opened', () => {
    const standIn = [opened('o2', true), certified];
    expect(objections([...own, ...standIn, ...standIn])).toEqual([]);
  });

  test('does not certify it twice', () => {
    expect(objections([...own, opened('o2', true), certified, certified])).toEqual([
      `the CA certified key ${about} a second time`,
    ]);
  });

  test('is no licence for whoever asks', () => {
    expect(objections([...own, opened('o2', true), opened('o2', false), certified])).toHaveLength(2);
  });
});

describe('a key that another CA certifies again', () => {
  const first: Happening = { atMs: 1, kind: 'authority', appliance: 0, what: 'certified', about: 'a2V5LW9uZQ' };
  const second: Happening = { ...first, ca: 1 };
  const outage: Happening = { atMs: 1, kind: 'event', what: 'authority-outage', phase: 'begins' };

  test('is one too many while the first is there', () => {
    expect(objections([first, second])).toHaveLength(1);
  });

  test('is not when the first went away with the certificate', () => {
    expect(objections([first, outage, second])).toEqual([]);
    expect(objections([first, { ...outage, ca: 1 }, second])).toHaveLength(1);
    expect(objections([first, outage, first])).toHaveLength(1);
  });
});

function objections(happenings: readonly Happening[]): readonly string[] {
  const found: string[] = [];
  const facts = { ...NO_FACTS, appliances: 1 };
  const invariant = noSecondOrder({ facts, violate: ({ what }) => void found.push(what) });
  for (const happening of happenings) invariant.onHappening?.(happening);
  return found;
}
