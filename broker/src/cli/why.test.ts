import { describe, expect, test } from 'vitest';
import { VirtualClock } from '@lanyard/sdk/testing';
import { useTerminal } from './test-terminal.ts';
import { explain } from './why.ts';

type View = Parameters<typeof explain>[0];
type OrderView = NonNullable<View['order']>;

const terminal = useTerminal();

const NOW_MS = new VirtualClock().nowMs();
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function at(offsetMs: number): string {
  return new Date(NOW_MS + offsetMs).toISOString();
}

const view: View = {
  deviceId: 'appliance-1',
  name: 'a.devices.example.com',
  status: 'active',
  isConnected: true,
  published: ['192.168.1.20', 'fd00::20'],
};
const certificate = { notAfter: at(30 * DAY_MS), renewAt: at(DAY_MS * 3), installedAt: at(-60 * DAY_MS) };
const order: OrderView = { state: 'waiting', requestedAt: at(-5 * MINUTE_MS), failures: 0 };

function told(more: Partial<View>): readonly string[] {
  return explain({ ...view, ...more }, NOW_MS);
}

/** The last sentence. */
function nextOf(more: Partial<View>): string | undefined {
  return told(more).at(-1);
}

describe('who it is', () => {
  const away = { isConnected: false };
  const TABLE: readonly (readonly [Partial<View>, readonly string[]])[] = [
    [{}, ['appliance-1 is a.devices.example.com, which points to 192.168.1.20, fd00::20.', 'It is connected.']],
    [{ published: [] }, ['appliance-1 is a.devices.example.com, which points nowhere.', 'It is connected.']],
    [{ ...away, lastSeenAt: at(-3 * HOUR_MS) }, ['It is away and was last seen 3 hours ago (2026-11-21T21:00Z).']],
    [away, ['It is away and has never been seen.']],
  ];
  for (const [more, sentences] of TABLE) {
    test(`is told: ${sentences.at(-1)}`, () => expect(told(more)).toEqual(expect.arrayContaining([...sentences])));
  }
});

describe('what it has', () => {
  const window = { start: '2026-11-24T00:00:00.000Z', end: '2026-11-26T00:00:00.000Z' };
  const { installedAt: _never, ...unused } = certificate;
  const TABLE: readonly (readonly [View['certificate'], readonly string[]])[] = [
    [undefined, ['It has no certificate yet.']],
    [
      certificate,
      ['Its certificate expires in 30 days (2026-12-22T00:00Z); in use since 60 days ago (2026-09-23T00:00Z).'],
    ],
    [unused, ['Its certificate expires in 30 days (2026-12-22T00:00Z); it has not said that it serves it.']],
    [
      { ...unused, notAfter: at(-90 * MINUTE_MS) },
      ['Its certificate expired 90 minutes ago (2026-11-21T22:30Z); it has not said that it serves it.'],
    ],
    [
      { ...unused, renewalWindow: window, explanationUrl: 'https://ca.test/why' },
      [
        'Its certificate expires in 30 days (2026-12-22T00:00Z); it has not said that it serves it.',
        `The CA wants it renewed between ${window.start} and ${window.end}.`,
        'The CA explains why: https://ca.test/why',
      ],
    ],
    [
      { ...unused, asleepSince: at(-15 * DAY_MS) },
      [
        'Its certificate expires in 30 days (2026-12-22T00:00Z); it has not said that it serves it.',
        'It was ordered in its absence, which began 15 days ago (2026-11-07T00:00Z).',
      ],
    ],
    [
      { ...unused, revoked: { reason: 'key-compromise', at: at(-2 * MINUTE_MS) } },
      [
        'Its certificate expires in 30 days (2026-12-22T00:00Z); it has not said that it serves it.',
        'It was revoked 2 minutes ago (2026-11-21T23:58Z): key-compromise.',
      ],
    ],
  ];
  for (const [given, sentences] of TABLE) {
    test(`is told: ${sentences.at(-1)}`, () => {
      expect(told(given ? { certificate: given } : {}).slice(2, -1)).toEqual(sentences);
    });
  }
});

describe('what happened', () => {
  const lastFailure = { code: 'authority-unreachable', message: 'no route', at: at(-MINUTE_MS) };
  const asked = 'It asked for a certificate 5 minutes ago (2026-11-21T23:55Z)';
  const failed = 'The last failure was 60 seconds ago (2026-11-21T23:59Z): no route [authority-unreachable].';
  const TABLE: readonly (readonly [OrderView, readonly string[]])[] = [
    [order, [`${asked}.`]],
    [{ ...order, failures: 1 }, [`${asked}; one order of it failed.`]],
    [{ ...order, failures: 3 }, [`${asked}; 3 orders of it failed.`]],
    [{ ...order, lastFailure }, [`${asked}.`, failed]],
    [
      { ...order, asleepSince: at(-15 * DAY_MS), failures: 1 },
      ['A certificate was ordered in its absence 5 minutes ago (2026-11-21T23:55Z); one order of it failed.'],
    ],
  ];
  for (const [given, sentences] of TABLE) {
    test(`is told: ${sentences.join(' ')}`, () => expect(told({ order: given }).slice(3, -1)).toEqual(sentences));
  }

  test('nothing, when nothing was asked for', () => {
    expect(told({})).toHaveLength(4);
  });
});

describe('what is next', () => {
  const away = { isConnected: false };
  const due = { ...certificate, renewAt: at(0) };
  const TABLE: readonly (readonly [Partial<View>, string])[] = [
    [{ status: 'disabled', certificate: due, order }, 'Nothing is next: it is disabled.'],
    [{}, 'Next: its request.'],
    [away, 'Next: it connects and asks.'],
    [{ certificate }, 'Next: it is asked to renew in 3 days (2026-11-25T00:00Z).'],
    [{ certificate: due }, 'Next: its request for a renewal, which is due.'],
    [{ certificate: due, ...away }, 'Next: it is asked to renew when it connects.'],
    [
      { certificate: { ...certificate, unattendedAt: at(16 * DAY_MS) } },
      'Next: it is asked to renew in 3 days (2026-11-25T00:00Z); if it stays silent, it is renewed in 16 days (2026-12-08T00:00Z).',
    ],
    [
      { certificate: { ...due, unattendedAt: at(15 * DAY_MS) } },
      'Next: its request for a renewal, which is due; if it stays silent, it is renewed in 15 days (2026-12-07T00:00Z).',
    ],
    [
      { certificate: { ...due, unattendedAt: at(15 * DAY_MS) }, ...away },
      'Next: it is asked to renew when it connects; if it stays silent, it is renewed in 15 days (2026-12-07T00:00Z).',
    ],
  ];
  for (const [more, sentence] of TABLE) test(`is told: ${sentence}`, () => expect(nextOf(more)).toBe(sentence));
});

describe('why an order waits', () => {
  const until = at(2 * HOUR_MS);
  const SOON = 'in 2 hours (2026-11-22T02:00Z)';
  const TABLE: readonly (readonly [OrderView['waitsFor'], string])[] = [
    [undefined, 'Next: the order is under way (waiting).'],
    [{ what: 'pause', until }, `Next: the order is tried again ${SOON}.`],
    [{ what: 'authority', until }, `Next: the CA is away or busy and is tried again ${SOON}.`],
    [
      { what: 'budget', until, ahead: 0, limit: 'new-orders' },
      `Next: the CA’s limit new-orders has room again ${SOON}.`,
    ],
    [
      { what: 'budget', until, ahead: 1, limit: 'registered-domain', subject: 'example.com' },
      `Next: the CA’s limit registered-domain for example.com has room again ${SOON}; 1 other goes before it.`,
    ],
    [
      { what: 'budget', until, ahead: 40_000, limit: 'new-orders' },
      `Next: the CA’s limit new-orders has room again ${SOON}; 40000 others go before it.`,
    ],
    [
      { what: 'budget', until, ahead: 0, limit: 'pause' },
      `Next: the CA asked the account to pause, which is over ${SOON}.`,
    ],
    [
      { what: 'budget', until, ahead: 0, limit: 'new-orders', ca: 'https://ca.example/dir' },
      `Next: ca.example’s limit new-orders has room again ${SOON}.`,
    ],
    [{ what: 'turn', ahead: 0 }, 'Next: its turn at the CA.'],
    [{ what: 'turn', ahead: 2 }, 'Next: its turn at the CA; 2 others go before it.'],
  ];
  for (const [waitsFor, sentence] of TABLE) {
    test(`is told: ${sentence}`, () =>
      expect(nextOf({ order: { ...order, ...(waitsFor && { waitsFor }) } })).toBe(sentence));
  }
});

test('an order that is under way says where', () => {
  const said = nextOf({ order: { ...order, state: 'proving', ca: 'https://ca.example/dir' } });
  expect(said).toBe('Next: the order is under way at ca.example (proving).');
});

describe('how far away an instant is', () => {
  const TABLE: readonly (readonly [number, string])[] = [
    [0, 'in 0 seconds'],
    [1_000, 'in 1 second'],
    [119_000, 'in 119 seconds'],
    [2 * MINUTE_MS, 'in 2 minutes'],
    [119 * MINUTE_MS, 'in 119 minutes'],
    [36 * HOUR_MS, 'in 36 hours'],
    [48 * HOUR_MS, 'in 2 days'],
    [45.9 * DAY_MS, 'in 45 days'],
  ];
  for (const [offsetMs, words] of TABLE) {
    test(`is told: ${words}`, () => {
      const waitsFor = { what: 'pause', until: at(offsetMs) } as const;
      expect(nextOf({ order: { ...order, waitsFor } })).toContain(`tried again ${words} (2`);
    });
  }
});

describe('lanyard why', () => {
  test('asks the broker about that appliance, and prints a sentence a line', async () => {
    const heard = await terminal.pretendBroker(() => [
      200,
      { ...view, enrolledAt: at(0), order: { id: 'o', ...order } },
    ]);
    expect(await terminal.run(['why', 'appliance-1'])).toEqual({
      code: 0,
      out:
        'appliance-1 is a.devices.example.com, which points to 192.168.1.20, fd00::20.\n' +
        'It is connected.\n' +
        'It has no certificate yet.\n' +
        'It asked for a certificate 5 minutes ago (2026-11-21T23:55Z).\n' +
        'Next: the order is under way (waiting).\n',
      err: '',
    });
    expect(heard).toMatchObject([{ method: 'GET', url: '/v1/appliances/appliance-1', token: 'Bearer secret-token' }]);
  });

  test('an appliance that nobody knows is said to be unknown', async () => {
    await terminal.pretendBroker(() => [404, { code: 'appliance-unknown', message: 'no appliance of that id' }]);
    expect(await terminal.run(['why', 'appliance-9'])).toEqual({
      code: 1,
      out: '',
      err: 'lanyard: no appliance of that id [appliance-unknown]\n',
    });
  });

  test('an id that is none leads nowhere else', async () => {
    const heard = await terminal.pretendBroker(() => [404, { code: 'appliance-unknown', message: 'no' }]);
    expect((await terminal.run(['why', '../../healthz?a=b'])).code).toBe(1);
    expect(heard[0]?.url).toBe('/v1/appliances/..%2F..%2Fhealthz%3Fa%3Db');
  });

  test('without an id it says what it needs, and asks nobody', async () => {
    const heard = await terminal.pretendBroker(() => [200, view]);
    const { code, out, err } = await terminal.run(['why']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('deviceId');
    expect(heard).toEqual([]);
  });

  test.each(['', 'hello', '[]', '{"deviceId":"appliance-1"}'])(
    'an answer that makes no sense (%j) is not believed',
    async (body) => {
      await terminal.pretendBroker(() => [200, body]);
      const { code, out } = await terminal.run(['why', 'appliance-1']);
      expect([code, out]).toEqual([1, '']);
    },
  );
});
