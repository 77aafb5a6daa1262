/** Plays a scenario on real sockets and makes a result of it: measured, judged, and told while it goes on. */
import process from 'node:process';
import type { Clock } from '@lanyard/sdk/kernel';
import { Measurements } from '../../report/measurements.ts';
import { MetricsServer } from '../../report/metrics-server.ts';
import { resultOf } from '../../report/result.ts';
import type { Result } from '../../report/result.ts';
import type { Snapshot } from '../../report/snapshot.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { EventHash } from '../event-hash.ts';
import { runWall } from './run-wall.ts';
import { wallPlan } from './wall-plan.ts';
import type { ExistingBroker } from './wall-vendor.ts';

export interface WallPlay {
  readonly scenario: Scenario;
  readonly appliances: number;
  readonly seed: number;
  readonly lengthMs: number;
  /** How many run the real SDK; the others are light clients. */
  readonly sdk?: number | undefined;
  readonly existing?: ExistingBroker | undefined;
  /** Port of a Prometheus endpoint on loopback; none when left out. */
  readonly metricsPort?: number | undefined;
  readonly version: string;
  readonly replay: string;
  /** Told now and then; `share` of the appliances have their certificate. */
  readonly onProgress: (snapshot: () => Snapshot, share: number) => void;
  /** Told where the Prometheus endpoint is. */
  readonly onMetrics: (url: string) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** @throws LanyardError `option-invalid` for what real sockets cannot do, and what `runWall` throws. */
export async function playWall(play: WallPlay): Promise<Result> {
  const { scenario, appliances, seed, lengthMs, clock, sdk, existing } = play;
  const plan = wallPlan({ ...scenario, for: lengthMs }, appliances);
  // The factory takes minutes: time begins when the first is switched on.
  let measurements = new Measurements({ startMs: clock.nowMs(), lengthMs, appliances });
  let hasBegun = false;
  const hash = new EventHash();
  const snapshot = (): Snapshot => measurements.snapshot();
  const metrics = await openMetrics(play, snapshot);
  try {
    const outcome = await runWall({
      ...plan,
      appliances,
      seed,
      ...(sdk !== undefined && { sdk }),
      ...(existing && { existing }),
      onHappening: (happening) => {
        if (!hasBegun && happening.kind === 'powered') {
          hasBegun = true;
          measurements = new Measurements({ startMs: happening.atMs, lengthMs, appliances });
        }
        hash.add(happening);
        measurements.note(happening);
      },
      onProgress: ({ certified }) => play.onProgress(snapshot, certified / appliances),
      signal: play.signal,
    });
    measurements.passTo(clock.nowMs());
    return resultOf({
      run: {
        scenario: scenario.name,
        about: scenario.about,
        gear: 'wall',
        appliances,
        seed,
        // Of what happened when: no two runs on real sockets are alike.
        eventHash: hash.digest(),
        seconds: Math.round(outcome.seconds * 10) / 10,
        peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
        version: play.version,
        replay: play.replay,
        load: { ...outcome.load, connectsPerSecond: outcome.connectsPerSecond },
      },
      snapshot: snapshot(),
      flashBytesPerYear: measurements.flashBytesPerYear(),
      violations: { total: 0, tolerated: 0, shown: [] },
      demands: scenario.expect.demands,
    });
  } finally {
    await metrics?.stop();
  }
}

async function openMetrics(
  { scenario, metricsPort, onMetrics }: WallPlay,
  snapshot: () => Snapshot,
): Promise<MetricsServer | undefined> {
  if (metricsPort === undefined) return undefined;
  const server = new MetricsServer({ snapshot, scenario: scenario.name, port: metricsPort });
  await server.start();
  onMetrics(`http://127.0.0.1:${server.port}/metrics`);
  return server;
}
