import { expect, test } from 'vitest';
import type { VirtualPorts } from '@lanyard/broker/virtual';
import type { ScenarioInput } from '../scenarios/scenario.ts';
import { altered, objectors, watchedRun } from './test-run.ts';

/** Publishes what each name leads to once, and never again, whatever becomes of the broker. */
function stubborn(): (ports: VirtualPorts) => VirtualPorts {
  const known = new Set<string>();
  return (ports) => {
    const publish = async (name: string, addresses: readonly string[]): Promise<void> => {
      if (known.has(name)) return;
      known.add(name);
      await ports.board.publish(name, addresses);
    };
    return { ...ports, board: altered(ports.board, { publish }) };
  };
}

test('a name that stays where the appliance was', async () => {
  const outcome = await watchedRun({
    for: '3d',
    scenario: { events: [{ do: 'move', at: '2d' }] },
    between: stubborn(),
  });
  expect(objectors(outcome)).toEqual(['address-follows']);
  expect(outcome.total).toBe(5);
  expect(outcome.shown[0]?.detail).toMatch(/^its name leads to [\d.]+, \d+ min after it got [\d.]+$/);
});

test('a name that never led anywhere', async () => {
  const outcome = await watchedRun({
    for: '1d',
    between: (ports) => ({ ...ports, board: altered(ports.board, { publish: async () => {} }) }),
  });
  expect(objectors(outcome)).toEqual(['address-follows']);
  expect(outcome.shown[0]?.detail).toMatch(/^its name leads nowhere, /);
});

test('whoever is off, cut off or without a broker is given time, and is looked at afterwards', async () => {
  const events: ScenarioInput['events'] = [
    { do: 'partition', at: '2d', for: '5h', where: { share: 0.5 } },
    { do: 'broker-stop', at: '50h', for: '5h' },
    { do: 'move', at: '51h' },
    { do: 'power-cut', at: '51h', for: '9h', where: { share: 0.5 } },
  ];
  const run = { for: '3d', appliances: 10, scenario: { events } };
  expect(objectors(await watchedRun(run))).toEqual([]);
  const outcome = await watchedRun({ ...run, between: stubborn() });
  expect(objectors(outcome)).toEqual(['address-follows']);
  expect(outcome.total).toBe(10);
});
