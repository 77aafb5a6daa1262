/** A run on real sockets: a crowd in several processes, one real broker, everything at the speed of the machine. */
import { LanyardError, sleep, systemClock } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import type { Spread } from '../../report/distribution.ts';
import type { Witness } from '../../world/happening.ts';
import { CrowdHost } from './crowd-host.ts';
import { LoadMeter } from './load-meter.ts';
import type { PartLoad } from './load-meter.ts';
import { demandOpenFiles } from './open-files.ts';
import { rollCall } from './roll-call.ts';
import { runEvents } from './wall-events.ts';
import type { WallPlan } from './wall-plan.ts';
import { WallTally } from './wall-tally.ts';
import type { Recovery } from './wall-tally.ts';
import { authorityPid, openWallVendor, visitVendor } from './wall-vendor.ts';
import type { AuthorityOptions, ExistingBroker, WallVendor } from './wall-vendor.ts';

export interface WallRun extends WallPlan {
  readonly appliances: number;
  /** How many of them run the real SDK; all up to 2,000, else 50, when left out. The others are light clients. */
  readonly sdk?: number;
  readonly seed: number;
  /** How many appliances share a process. */
  readonly perProcess?: number;
  /** A broker that runs already; one of its own with the model CA when left out. */
  readonly existing?: ExistingBroker;
  /** Of the model CA. */
  readonly authority?: AuthorityOptions;
  readonly onHappening?: Witness;
  readonly onProgress?: (progress: WallProgress) => void;
  /** Ends the run early, with its reason. */
  readonly signal?: AbortSignal;
}

export interface WallProgress {
  readonly phase: 'making' | 'running';
  readonly made: number;
  readonly on: number;
  readonly connected: number;
  readonly certified: number;
  /** Of the processes of the crowd. */
  readonly crowdPids: readonly number[];
}

export interface WallOutcome {
  readonly appliances: number;
  readonly sdk: number;
  readonly processes: number;
  /** Everybody was connected and certified in the end, and the broker knew it. */
  readonly isComplete: boolean;
  readonly connected: number;
  readonly certified: number;
  readonly acknowledged: number;
  readonly peakConnected: number;
  readonly connectsPerSecond: { readonly peak: number; readonly mean: number };
  readonly timeToCertificateMs: Spread;
  readonly certificatesPerSecond: number;
  readonly recoveries: readonly Recovery[];
  readonly problems: Readonly<Record<string, number>>;
  readonly load: { readonly broker: PartLoad; readonly authority: PartLoad; readonly crowd: PartLoad };
  readonly factorySeconds: number;
  /** From the first power-on on. */
  readonly seconds: number;
}

/** Real TLS stacks of this many fit into one process's memory, files and share of a core. */
const PER_PROCESS = 2_500;
const MOST_SDK_BY_DEFAULT = 2_000;
const CANARIES = 50;
const LOOK_MS = 1_000;

/** @throws LanyardError what stopped it: too few open files, a process of the crowd that died, or the signal's reason. */
export async function runWall(run: WallRun): Promise<WallOutcome> {
  const { appliances, sdk = appliances <= MOST_SDK_BY_DEFAULT ? appliances : CANARIES } = run;
  if (run.existing === undefined) demandOpenFiles('the broker', appliances);
  const crowd = { appliances, sites: Math.min(run.sites, appliances), sdk: Math.min(sdk, appliances) };
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(run.signal?.reason);
  if (run.signal?.aborted) stop();
  run.signal?.addEventListener('abort', stop, { once: true });
  let tally: WallTally | undefined;
  const tell: Witness = (happening) => {
    tally?.note(happening);
    run.onHappening?.(happening);
  };
  let vendor: WallVendor | undefined;
  let host: CrowdHost | undefined;
  try {
    vendor = await (run.existing ? visitVendor(run.existing) : openWallVendor(run.settings, run.authority, tell));
    const abandon = (error: LanyardError): void => stopping.abort(error);
    host = new CrowdHost({ crowd, perProcess: run.perProcess ?? PER_PROCESS, clock: systemClock, tell, abandon });
    const stage: Stage = { run, crowd, vendor, host, tell, signal: stopping.signal };
    const openTally = (): WallTally => (tally = new WallTally({ appliances, startMs: systemClock.nowMs() }));
    return await orAbandoned(stopping.signal, live(stage, openTally));
  } finally {
    run.signal?.removeEventListener('abort', stop);
    if (!stopping.signal.aborted) stopping.abort(new LanyardError('stopped'));
    await host?.end();
    await vendor?.close();
  }
}

interface Stage {
  readonly run: WallRun;
  readonly crowd: { readonly appliances: number; readonly sites: number; readonly sdk: number };
  readonly vendor: WallVendor;
  readonly host: CrowdHost;
  readonly tell: Witness;
  readonly signal: AbortSignal;
}

async function live(stage: Stage, openTally: () => WallTally): Promise<WallOutcome> {
  const { run, crowd, vendor, host, signal } = stage;
  const madeFromMs = systemClock.monotonicMs();
  const making = (made: number): void =>
    run.onProgress?.({ phase: 'making', made, on: 0, connected: 0, certified: 0, crowdPids: host.pids });
  const { seed } = run;
  await host.build({ ...vendor, seed, admin: vendor.adminAccess, directory: `${vendor.directory}/appliances` }, making);
  const startMs = systemClock.monotonicMs();
  const tally = openTally();
  const meter = new LoadMeter(systemClock, () => ({
    broker: [vendor.broker?.pid],
    authority: [authorityPid(vendor)],
    crowd: host.pids,
  }));
  void meter.follow(signal);
  const isOver = { events: false };
  const play = async (): Promise<void> => {
    await runEvents({ ...eventStage(stage), limitMs: run.limitMs }, run.events, signal);
    isOver.events = true;
  };
  const { shape, overMs } = run.arrivals;
  const arrived = host.command({ kind: 'arrive', shape, overMs });
  const settled = settle(stage, tally, startMs, isOver);
  const [acknowledged] = await Promise.all([settled, Promise.race([Promise.all([play(), arrived]), settled])]);
  await meter.look();
  return {
    appliances: crowd.appliances,
    sdk: crowd.sdk,
    processes: host.pids.length,
    isComplete: acknowledged === crowd.appliances,
    connected: tally.connected,
    certified: tally.certified,
    acknowledged,
    peakConnected: tally.peakConnected,
    connectsPerSecond: tally.connectsPerSecond(),
    timeToCertificateMs: tally.waits(),
    certificatesPerSecond: tally.certificatesPerSecond(),
    recoveries: tally.recoveries,
    problems: tally.problems(),
    load: { broker: meter.load('broker'), authority: meter.load('authority'), crowd: meter.load('crowd') },
    factorySeconds: (startMs - madeFromMs) / 1000,
    seconds: (systemClock.monotonicMs() - startMs) / 1000,
  };
}

/** Waits until everything has happened and everybody is well, or the time is up. @returns how many the broker confirms. */
async function settle(
  { run, crowd, vendor, host, signal }: Stage,
  tally: WallTally,
  startMs: number,
  isOver: { readonly events: boolean },
): Promise<number> {
  for (;;) {
    await sleep(systemClock, LOOK_MS, signal);
    const { on, connected, certified } = tally;
    run.onProgress?.({ phase: 'running', made: crowd.appliances, on, connected, certified, crowdPids: host.pids });
    const isLate = systemClock.monotonicMs() - startMs >= run.limitMs;
    const isWell = isOver.events && connected === crowd.appliances && certified === crowd.appliances;
    if (!isLate && !isWell) continue;
    // A broker that is away at the end confirms nobody.
    const { acknowledged } = await rollCall(vendor.admin).catch((error: unknown) => {
      if (isLate) return { acknowledged: 0 };
      throw error;
    });
    if (isLate || acknowledged >= crowd.appliances) return acknowledged;
  }
}

function eventStage({ run, crowd, vendor, host, tell }: Stage): Omit<Parameters<typeof runEvents>[0], 'limitMs'> {
  const { broker } = vendor;
  const demandOwn = (): NonNullable<typeof broker> => {
    if (broker) return broker;
    const message = 'a broker that somebody else runs is not stopped: leave broker-stop and broker-kill out';
    throw new LanyardError('option-invalid', { message });
  };
  if (run.events.some((event) => event.do.startsWith('broker-'))) demandOwn();
  return {
    clock: systemClock,
    random: seededRandom(run.seed),
    crowd,
    command: (command) => host.command(command),
    broker: {
      async takeAway(how) {
        const atMs = systemClock.nowMs();
        tell({ kind: 'broker', what: how, atMs });
        await (how === 'killed' ? demandOwn().kill() : demandOwn().stop());
      },
      async bringBack() {
        await demandOwn().start();
        tell({ kind: 'broker', what: 'started', atMs: systemClock.nowMs() });
      },
    },
    tell,
  };
}

async function orAbandoned<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // What is left of it after it was abandoned fails, and nobody waits for it.
  work.catch(() => {});
  return await Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      const fail = (): void => {
        const reason: unknown = signal.reason;
        reject(reason instanceof Error ? reason : new LanyardError('stopped'));
      };
      if (signal.aborted) fail();
      else signal.addEventListener('abort', fail, { once: true });
    }),
  ]);
}
