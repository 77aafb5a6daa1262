/** The wall gear with a small crowd: it survives what scenarios do, says clearly what ended it, and leaves nothing behind. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runWall } from '../../simulator/src/gears/wall/run-wall.ts';
import type { WallRun } from '../../simulator/src/gears/wall/run-wall.ts';
import type { Happening } from '../../simulator/src/world/happening.ts';

const small: WallRun = {
  appliances: 60,
  sdk: 10,
  sites: 24,
  perProcess: 30,
  seed: 1,
  arrivals: { shape: 'at-once', overMs: 0 },
  events: [],
  limitMs: 300_000,
  settings: { mode: 'resident', checkInSeconds: 3600, reconnectSpreadSeconds: 2, concurrency: 32 },
};

test('sixty appliances in two processes live through a power cut and the death of the broker', async () => {
  const happened: Happening[] = [];

  const outcome = await runWall({
    ...small,
    events: [
      { do: 'power-cut', at: 6_000, where: { share: 0.5 }, for: 1_000 },
      { do: 'broker-kill', at: 15_000, for: 500 },
    ],
    onHappening: (happening) => happened.push(happening),
  });

  expect(outcome).toMatchObject({ isComplete: true, processes: 2, sdk: 10, certified: 60, acknowledged: 60 });
  expect(outcome.timeToCertificateMs.count).toBe(60);
  expect(outcome.recoveries).toMatchObject([{ what: 'killed' }]);
  expect(outcome.recoveries[0]?.backMs).toBeGreaterThan(0);
  const cut = happened.filter((each) => each.kind === 'powered' && each.why === 'power-cut');
  expect(cut.length).toBeGreaterThan(10);
  const atMs = happened.find((each) => each.kind === 'broker' && each.what === 'killed')?.atMs ?? Infinity;
  expect(happened.some((each) => each.kind === 'disconnected' && each.atMs >= atMs)).toBe(true);
  expect(await children()).toEqual([]);
});

test('a process of the crowd that dies ends the run with its name', async () => {
  let victim: number | undefined;

  const run = runWall({
    ...small,
    // So that everybody is well long before it would be over.
    events: [{ do: 'move', at: 200_000, where: { share: 1 } }],
    onProgress: ({ phase, connected, crowdPids: [first] }) => {
      if (phase !== 'running' || connected === 0 || first === undefined || victim !== undefined) return;
      victim = first;
      process.kill(first, 'SIGKILL');
    },
  });

  await expect(run).rejects.toThrow(/^the process of appliances 1 to 30 \(pid \d+\) ended with SIGKILL$/);
  await expect(run).rejects.toThrow(`pid ${victim}`);
  expect(await children()).toEqual([]);
});

test('a run that is interrupted while it is set up leaves nothing behind', async () => {
  const interrupt = new AbortController();

  const run = runWall({
    ...small,
    signal: interrupt.signal,
    onProgress: ({ phase }) => phase === 'making' && interrupt.abort(new Error('Ctrl-C')),
  });

  await expect(run).rejects.toThrow('Ctrl-C');
  expect(await children()).toEqual([]);
});

test('a crowd for which a process may not open enough files is refused before anything starts', async () => {
  const run = runWall({ ...small, appliances: 50_000_000 });

  await expect(run).rejects.toThrow(/the broker needs 50000200 open files.*ulimit -n/s);
});

/** Command lines of the processes that this one started for a run and that still live. */
async function children(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => childLine(pid)));
  return found.filter((line) => line !== undefined && /crowd-worker|broker/.test(line)).map(String);
}

async function childLine(pid: string): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(parent) !== process.pid || state === 'Z') return undefined;
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    return undefined;
  }
}
