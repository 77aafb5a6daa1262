import { describe, expect, test } from 'vitest';
import { scenarioSchema } from './scenario.ts';
import type { ScenarioEvent } from './scenario.ts';

const LEAST = { name: 'least', about: 'Nothing but what must be there.' };

/** Every event with no more than it needs, and what its defaults add. */
const EVENTS: Readonly<Record<ScenarioEvent['do'], readonly [needs: object, adds: object]>> = {
  'power-cut': [{ for: '1h' }, { for: 3_600_000, where: { share: 1 } }],
  shelf: [{ for: '200d' }, { for: 17_280_000_000, where: { share: 1 } }],
  reboot: [{}, { where: { share: 1 } }],
  'factory-reset': [{}, { where: { share: 1 } }],
  move: [{}, { where: { share: 1 } }],
  partition: [{ for: '1m' }, { for: 60_000, where: { share: 1 } }],
  'flash-full': [{ for: '1m' }, { where: { share: 1 } }],
  'flash-read-only': [{ for: '1m' }, { where: { share: 1 } }],
  'restore-image': [{ age: '90d' }, { age: 7_776_000_000, where: { share: 1 } }],
  clone: [{ for: '1m' }, { where: { share: 1 } }],
  'broker-stop': [{ for: '1m' }, {}],
  'broker-kill': [{}, { for: 5_000 }],
  'authority-outage': [{ for: '1m' }, { how: 'unreachable', ca: 0 }],
  'authority-limits': [{ limits: {} }, { limits: {} }],
  'profile-change': [{}, {}],
  'renew-all': [{}, { over: 21_600_000 }],
  'mass-revocation': [{}, { notice: 86_400_000 }],
  weather: [{ for: '1m', weather: {} }, { weather: { latency: { from: 10, to: 200 }, loss: 0, halfOpen: 0 } }],
};

test('a name and a sentence are enough: a thousand residents for a day, without limits and weather', () => {
  expect(scenarioSchema.parse(LEAST)).toMatchObject({
    ...LEAST,
    gears: ['virtual'],
    appliances: 1_000,
    for: 86_400_000,
    shards: 1,
    population: { mode: 'resident', arrivals: { shape: 'even', over: 3_600_000 }, quirks: { slowReader: 0 } },
    broker: { checkIn: 604_800_000, reconnectSpread: 300_000, concurrency: 64, onPort443: true },
    authority: { preset: 'none', limits: {}, asyncFinalize: 0 },
    failover: [],
    weather: { loss: 0, halfOpen: 0 },
    events: [],
    expect: { demands: [], tolerate: [] },
  });
});

describe.each(Object.entries(EVENTS))('the event %s', (what, [needs, adds]) => {
  test('is read, with its defaults', () => {
    const { events } = scenarioSchema.parse({ ...LEAST, events: [{ do: what, at: '1h', ...needs }] });
    expect(events).toMatchObject([{ do: what, at: 3_600_000, ...adds }]);
  });

  test('needs an instant, and nothing that it does not know', () => {
    const [timeless, misspelt] = [
      { do: what, ...needs },
      { do: what, at: '1h', ...needs, whree: { share: 1 } },
    ].map((event) => complaintsOf({ events: [event] }));
    expect(timeless).toEqual([expect.stringContaining('events.0.at:')]);
    expect(misspelt).toEqual([expect.stringContaining('whree')]);
  });

  test('needs everything that it has no default for', () => {
    for (const need of Object.keys(needs)) {
      const left = Object.fromEntries(Object.entries(needs).filter(([name]) => name !== need));
      expect(complaintsOf({ events: [{ do: what, at: '1h', ...left }] })).toEqual([
        expect.stringContaining(`events.0.${need}:`),
      ]);
    }
  });
});

describe('what is refused, and where', () => {
  test.each<[string, object, string]>([
    ['an unknown event', { events: [{ do: 'flood', at: 0 }] }, 'events.0.do'],
    ['a share above everybody', { events: [{ do: 'move', at: 0, where: { share: 1.1 } }] }, 'events.0.where'],
    ['two answers to where', { events: [{ do: 'move', at: 0, where: { share: 1, sites: 2 } }] }, 'events.0.where'],
    ['an event again and again at one instant', { events: [{ do: 'move', at: 0, every: 0 }] }, 'events.0.every'],
    ['no duration', { for: 'a fortnight' }, 'for: "a fortnight" is no duration such as 90s'],
    ['a negative time', { for: -1 }, 'for'],
    ['no appliances', { appliances: 0 }, 'appliances'],
    ['half an appliance', { appliances: 2.5 }, 'appliances'],
    ['too many shards', { shards: 65 }, 'shards'],
    ['a gear that is none', { gears: ['reverse'] }, 'gears.0'],
    ['no gear', { gears: [] }, 'gears'],
    ['a name that is no file’s', { name: 'Größe 1' }, 'name'],
    ['a bucket that never fills', { authority: { limits: { certificatesPerSet: { burst: 0, per: '7d' } } } }, 'burst'],
    ['a bucket without a time', { authority: { limits: { certificatesPerSet: { burst: 5, per: 0 } } } }, 'per'],
    ['a limit that no CA has', { authority: { limits: { coffees: { burst: 1, per: '1d' } } } }, 'coffees'],
    ['more CAs than four', { failover: [{}, {}, {}, {}] }, 'failover'],
    [
      'an outage of a CA that is not there',
      { events: [{ do: 'authority-outage', at: 0, for: '1h', ca: 1 }] },
      'events.0.ca: there is no CA 1',
    ],
    ['a check-in that no appliance accepts', { broker: { checkIn: '31d' } }, 'broker.checkIn'],
    ['a check-in at once', { broker: { checkIn: 0 } }, 'broker.checkIn'],
    ['a spread that no appliance accepts', { broker: { reconnectSpread: '31d' } }, 'broker.reconnectSpread'],
    ['a range that ends before it begins', { weather: { latency: { from: 9, to: 8 } } }, 'weather.latency'],
  ])('%s', (_, wish, where) => {
    expect(complaintsOf(wish)).toEqual([expect.stringContaining(where)]);
  });

  test('every fault is told, not only the first', () => {
    expect(complaintsOf({ appliances: 0, for: 'x', weather: { loss: 2 } })).toHaveLength(3);
  });
});

function complaintsOf(wish: object): readonly string[] {
  const parsed = scenarioSchema.safeParse({ ...LEAST, ...wish });
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}
