import { expect, test } from 'vitest';
import type { ScenarioInput } from '../../scenarios/scenario.ts';
import type { Happening } from '../../world/happening.ts';
import { busyRun } from './test-busy-run.ts';
import type { BusyOutcome } from './test-busy-run.ts';

const APPLIANCES = 10;

test('renew-all has everybody renew, whoever was off as soon as he is back', async () => {
  const { told } = await quietDay({
    events: [
      { at: '2h', do: 'power-cut', where: { appliances: 3 }, for: '6h' },
      { at: '3h', do: 'renew-all', over: '1h' },
    ],
  });

  const renewals = told.filter((happening) => happening.kind === 'installed' && !happening.isFirst);
  expect(new Set(renewals.map(numberOf)).size).toBe(APPLIANCES);
  expect(renewals).toHaveLength(APPLIANCES);
});

test('the power and the line of a clone are not those of its original', async () => {
  const { told } = await quietDay({ events: [{ at: '2h', do: 'clone', where: { appliances: 1 }, for: '1h' }] });

  expect(told.filter(({ kind }) => kind === 'powered')).toHaveLength(APPLIANCES);
  const lines = told.filter(({ kind }) => kind === 'connected' || kind === 'disconnected');
  const [victim] = lines.filter(({ kind }) => kind === 'disconnected').map(numberOf);
  // Pushed out by the other one, and back in its place in the end.
  expect(victim).toBeDefined();
  expect(lines.findLast((happening) => numberOf(happening) === victim)?.kind).toBe('connected');
});

test('a slow reader takes longer, and gets there', async () => {
  const quick = await quietDay({ population: { quirks: { slowReader: 0 } } });
  const slow = await quietDay({ population: { quirks: { slowReader: 1 } } });

  // Hello, state, request and certificate: forty seconds more.
  expect(Math.max(...waits(quick))).toBeLessThan(20_000);
  expect(Math.min(...waits(slow))).toBeGreaterThan(40_000);
  expect(waits(slow)).toHaveLength(APPLIANCES);
});

test('a NAT that forgets soon breaks silent lines, and not those that talk', async () => {
  const kind = await quietDay({ population: { sites: { shortIdle: 0 } } }, 0.1);
  const mean = await quietDay({ population: { sites: { shortIdle: 1 } } }, 0.1);

  expect(kind.told.filter(({ kind: what }) => what === 'disconnected')).toEqual([]);
  const breaks = mean.told.filter(({ kind: what }) => what === 'disconnected');
  expect(breaks.length).toBeGreaterThan(APPLIANCES * 10);
  // Slow ones need longer for their certificate than the NAT would wait for a silent line.
  const slow = await quietDay({ population: { sites: { shortIdle: 1 }, quirks: { slowReader: 1 } } }, 0.1);
  expect(waits(slow)).toHaveLength(APPLIANCES);
});

test('what is torn down with the world does not happen in it', async () => {
  const { told, world } = await quietDay({});

  expect(world.vendor.broker).toBeUndefined();
  expect(told.filter(({ kind }) => kind === 'disconnected')).toEqual([]);
});

async function quietDay({ population, ...more }: Partial<ScenarioInput>, days = 1): Promise<BusyOutcome> {
  const calm: Partial<ScenarioInput> = {
    weather: {},
    events: [],
    population: { arrivals: { over: '1h' }, ...population },
  };
  return await busyRun({ crypto: 'stub', appliances: APPLIANCES, days, more: { ...calm, ...more } });
}

function waits({ told }: BusyOutcome): readonly number[] {
  return told.flatMap((happening) => (happening.kind === 'installed' ? [happening.waitedMs] : []));
}

function numberOf(happening: Happening): number | undefined {
  return 'appliance' in happening ? happening.appliance : undefined;
}
