import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { play } from './play.ts';
import type { PlayWish } from './play.ts';

let folder: string;
let output: string;
let complaints: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'play-'));
  [output, complaints] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((output += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((complaints += String(text)), true));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** Four appliances for twenty minutes, unless the text says otherwise. */
async function scenario(text = ''): Promise<string> {
  const path = join(folder, 'small.yaml');
  const arrivals = 'population: { arrivals: { shape: at-once } }';
  await writeFile(path, `about: Small.\nappliances: 4\nfor: 20m\n${arrivals}\n${text}`);
  return path;
}

interface Played {
  readonly exitCode: number;
  /** The last line on standard output. */
  readonly summary: Readonly<Record<string, unknown>>;
  readonly report: Readonly<Record<string, unknown>>;
  readonly path: string;
}

async function played(text = '', wish: Partial<PlayWish> = {}): Promise<Played> {
  const path = await scenario(text);
  const json = join(folder, 'out.json');
  const given: PlayWish = { scenario: path, seed: 7, crypto: 'stub', json, ...wish };
  const exitCode = await play(given, new AbortController().signal);
  const summary = JSON.parse(output.trim().split('\n').at(-1) ?? '');
  return { exitCode, summary, report: JSON.parse(await readFile(json, 'utf8')), path };
}

async function refusalOf(text: string, wish: Partial<PlayWish> = {}): Promise<unknown> {
  return await played(text, wish).then(
    () => 'it was played',
    (error: unknown) => error,
  );
}

describe('what is decided', () => {
  test('what the command line leaves out is the scenario’s', async () => {
    const { exitCode, summary } = await played();
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ scenario: 'small', gear: 'virtual', appliances: 4, seed: 7, certified: 4 });
  });

  test('what the command line says goes before the scenario', async () => {
    const { summary, report } = await played('', { appliances: 2, lengthMs: 600_000 });
    expect(summary).toMatchObject({ appliances: 2, certified: 2 });
    expect(report['replay']).toContain('--for 600000ms');
  });

  test('the gear is the scenario’s first', async () => {
    expect((await played('gears: [virtual, wall]\n')).summary['gear']).toBe('virtual');
  });

  test('a seed that is left out is thrown, and told', async () => {
    const seeds = new Set<unknown>();
    for (let round = 0; round < 2; round++) {
      const { summary, report } = await played('', { seed: undefined, appliances: 1, lengthMs: 60_000 });
      seeds.add(summary['seed']);
      expect(report['replay']).toContain(`--seed ${String(summary['seed'])}`);
    }
    expect(seeds.size).toBe(2);
  });

  test('shards of the scenario give way to a small fleet', async () => {
    const { report } = await played('shards: 8\n', { appliances: 1 });
    expect(report['replay']).not.toContain('--shards');
  });
});

describe('the replay line', () => {
  test('names everything that decides the run', async () => {
    const { report, path } = await played();
    expect(report['replay']).toBe(
      `npx lanyard-simulator run ${path} --gear virtual --appliances 4 --seed 7 --crypto stub`,
    );
  });

  test('shards, the length and the only appliance, where there are such', async () => {
    const { report } = await played('', { shards: 2, only: 3, lengthMs: 900_000 });
    expect(report['replay']).toMatch(/--seed 7 --crypto stub --shards 2 --for 900000ms --only 3$/);
  });

  test('does the same again', async () => {
    const first = (await played()).summary;
    expect((await played()).summary['eventHash']).toBe(first['eventHash']);
  });
});

describe('what is refused before anything runs', () => {
  test.each<[string, string, Partial<PlayWish>, string]>([
    ['a gear that the scenario does not play in', '', { gear: 'wall' }, 'plays in the gear virtual, not in wall'],
    ['more shards than appliances', '', { shards: 5 }, '4 appliances do not make 5 shards'],
    ['shards under the limits of a CA', 'authority: { preset: letsencrypt }\n', { shards: 2 }, 'has a CA with limits'],
    ['an appliance that is not there', '', { only: 4 }, 'there is no appliance 4 among 4'],
    [
      'a broker whose admin nobody named',
      'gears: [wall]\n',
      { broker: 'mqtts://broker.example:8883' },
      '--broker needs --admin and --admin-token',
    ],
    ['shards on real sockets', 'gears: [wall]\n', { shards: 2 }, '--shards has a meaning in the gear virtual only'],
    ['light clients on virtual time', '', { sdk: 1 }, '--sdk has a meaning in the gear wall only'],
    ['a token on virtual time', '', { adminToken: 'x' }, '--admin-token has a meaning in the gear wall only'],
    ['the measure that is none', 'expect: { demands: [{ measure: happiness, atLeast: 1 }] }\n', {}, 'happiness'],
  ])('%s', async (_, text, wish, why) => {
    expect(await refusalOf(text, wish)).toMatchObject({ message: expect.stringContaining(why) });
    expect(output).toBe('');
  });

  test('a token that cannot be read', async () => {
    const wish = { broker: 'mqtts://b.example:8883', admin: 'http://b.example', adminToken: join(folder, 'none') };
    expect(await refusalOf('gears: [wall]\n', wish)).toMatchObject({ code: 'config-unreadable' });
  });

  test('a scenario that nobody has', async () => {
    expect(await refusalOf('', { scenario: 'fist-boot' })).toMatchObject({ code: 'config-unreadable' });
  });
});

describe('the verdict', () => {
  const unmet = 'expect: { demands: [{ measure: certifiedShare, atLeast: 2, because: dreams }] }\n';

  test('a demand that is not met is 1, and says what was found', async () => {
    const { exitCode } = await played(unmet);
    expect(exitCode).toBe(1);
    expect(complaints).toMatch(/not met: certifiedShare is \S+, wanted/);
  });

  test('demands in a file take the place of the scenario’s', async () => {
    const expectFile = join(folder, 'expect.yaml');
    await writeFile(expectFile, 'demands:\n  - { measure: certifiedShare, atLeast: 1 }\n');
    expect((await played(unmet, { expect: expectFile })).exitCode).toBe(0);
  });

  test('what is demanded of a fleet is not asked of one appliance alone', async () => {
    const { exitCode, summary } = await played(unmet, { only: 1 });
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ certified: 1 });
  });

  test('a promise that was broken is 1, with the line that shows it again; tolerated it is 0', async () => {
    // Twins push each other out, and each wants a certificate for its own key.
    const twins = 'events: [{ at: 1m, do: clone, for: 1h }, { at: 2m, do: renew-all, over: 1m }]\n';
    const { exitCode, summary } = await played(twins);
    expect(exitCode).toBe(1);
    expect(summary['violations']).toBeGreaterThan(0);
    expect(complaints).toContain(`npx lanyard-simulator run ${join(folder, 'small.yaml')}`);
    const tolerant = `${twins}expect: { tolerate: [{ invariant: no-tight-loop, because: today }] }\n`;
    expect((await played(tolerant)).exitCode).toBe(0);
  });

  test('the page is written where it was asked for', async () => {
    const report = join(folder, 'out.html');
    await played('', { report });
    expect(await readFile(report, 'utf8')).toMatch(/^<!doctype html>[^]*small/i);
  });
});
