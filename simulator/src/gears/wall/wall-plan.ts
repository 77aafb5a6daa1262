/** What of a scenario can be done on real sockets; the rest is refused before anything is started. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Scenario, ScenarioEvent } from '../../scenarios/scenario.ts';
import type { Arrivals } from './arrivals.ts';

const POSSIBLE = [
  'power-cut',
  'reboot',
  'factory-reset',
  'move',
  'partition',
  'broker-stop',
  'broker-kill',
] as const satisfies readonly ScenarioEvent['do'][];

export type WallEvent = Extract<ScenarioEvent, { readonly do: (typeof POSSIBLE)[number] }>;

export interface WallPlan {
  readonly sites: number;
  readonly arrivals: Arrivals;
  readonly events: readonly WallEvent[];
  /** The longest that it may take. */
  readonly limitMs: number;
  readonly settings: {
    readonly mode: 'resident' | 'checkin';
    readonly checkInSeconds: number;
    readonly reconnectSpreadSeconds: number;
    readonly concurrency: number;
  };
}

/** @throws LanyardError `option-invalid`, naming everything that cannot be done. */
export function wallPlan(scenario: Scenario, appliances: number): WallPlan {
  const { population, broker } = scenario;
  const { shape } = population.arrivals;
  const events = scenario.events.filter((event) => isPossible(event));
  const impossible = [
    ...scenario.events.flatMap((event) => (isPossible(event) ? [] : event.do)),
    ...(shape === 'workdays' ? ['arrivals: workdays'] : []),
    ...(population.mode === 'checkin' ? ['population.mode: checkin'] : []),
    ...(population.quirks.slowReader > 0 ? ['quirks.slowReader'] : []),
    ...(scenario.failover.length > 0 ? ['failover'] : []),
    ...(scenario.weather.loss > 0 || scenario.weather.lineLife !== undefined ? ['weather'] : []),
  ];
  if (impossible.length > 0 || shape === 'workdays') {
    const message = `scenario ${scenario.name}: the wall gear cannot do ${[...new Set(impossible)].join(', ')}`;
    throw new LanyardError('option-invalid', { message: `${message}; it can do ${POSSIBLE.join(', ')}` });
  }
  return {
    sites: Math.max(1, Math.round(appliances / population.perSite)),
    arrivals: { shape, overMs: population.arrivals.over },
    events,
    limitMs: scenario.for,
    settings: {
      mode: population.mode,
      checkInSeconds: Math.max(10, Math.round(broker.checkIn / 1000)),
      reconnectSpreadSeconds: Math.round(broker.reconnectSpread / 1000),
      concurrency: broker.concurrency,
    },
  };
}

function isPossible(event: ScenarioEvent): event is WallEvent {
  return POSSIBLE.some((kind) => kind === event.do);
}
