/** Makes the events of a run happen when they are due, once or again and again. */
import { sleep } from '@lanyard/sdk/kernel';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { Where } from '../../scenarios/scenario.ts';
import type { Witness } from '../../world/happening.ts';
import type { CrowdCommand } from './crowd-messages.ts';
import { siteOf } from './slices.ts';
import type { Crowd } from './slices.ts';
import type { WallEvent } from './wall-plan.ts';

export interface EventStage {
  readonly clock: Clock;
  /** Chooses whom it happens to. */
  readonly random: Random;
  readonly crowd: Crowd;
  /** To every process of the crowd. */
  readonly command: (command: CrowdCommand) => Promise<void>;
  readonly broker: {
    takeAway(how: 'stopped' | 'killed'): Promise<void>;
    bringBack(): Promise<void>;
  };
  readonly tell: Witness;
  /** Nothing comes again after this. */
  readonly limitMs: number;
}

/** Resolves when the last event is over. */
export async function runEvents(stage: EventStage, events: readonly WallEvent[], signal: AbortSignal): Promise<void> {
  const startMs = stage.clock.monotonicMs();
  await Promise.all(
    events.map(async (event) => {
      const most = event.every === undefined ? 1 : (event.times ?? Infinity);
      for (let time = 0; time < most; time += 1) {
        const atMs = event.at + time * (event.every ?? 0);
        if (atMs > stage.limitMs) return;
        await sleep(stage.clock, Math.max(0, startMs + atMs - stage.clock.monotonicMs()), signal);
        const { clock, tell } = stage;
        tell({ kind: 'event', what: event.do, phase: 'begins', atMs: clock.nowMs() });
        await happen(stage, event, signal);
        tell({ kind: 'event', what: event.do, phase: 'ends', atMs: clock.nowMs() });
      }
    }),
  );
}

async function happen(stage: EventStage, event: WallEvent, signal: AbortSignal): Promise<void> {
  const { command, broker, clock } = stage;
  switch (event.do) {
    case 'power-cut': {
      const numbers = chosen(stage, event.where);
      await command({ kind: 'power-cut', numbers, why: 'power-cut' });
      await sleep(clock, event.for, signal);
      return await command({ kind: 'power-on', numbers, why: 'power is back' });
    }
    case 'partition': {
      const numbers = chosen(stage, event.where);
      await command({ kind: 'partition', numbers, isCut: true });
      await sleep(clock, event.for, signal);
      return await command({ kind: 'partition', numbers, isCut: false });
    }
    case 'reboot':
    case 'factory-reset':
    case 'move':
      return await command({ kind: event.do, numbers: chosen(stage, event.where) });
    case 'broker-stop':
    case 'broker-kill':
      await broker.takeAway(event.do === 'broker-stop' ? 'stopped' : 'killed');
      await sleep(clock, event.for, signal);
      return await broker.bringBack();
  }
}

/** Numbers of those that it happens to. */
function chosen({ crowd, random }: EventStage, where: Where): number[] {
  const all = Array.from({ length: crowd.appliances }, (_, number) => number);
  if ('share' in where) return where.share === 1 ? all : all.filter(() => random.uniform() < where.share);
  // Neighbours, from anywhere on.
  if ('appliances' in where) {
    const first = Math.floor(random.uniform() * Math.max(1, crowd.appliances - where.appliances + 1));
    return all.slice(first, first + where.appliances);
  }
  const first = Math.floor(random.uniform() * Math.max(1, crowd.sites - where.sites + 1));
  return all.filter((number) => siteOf(crowd, number) >= first && siteOf(crowd, number) < first + where.sites);
}
