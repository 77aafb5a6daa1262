import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VirtualClock } from '@lanyard/sdk/testing';
import { describe, expect, test } from 'vitest';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();
const PLAN = ['plan', '--appliances', '90000', '--from', '2026-11-23'];

describe('lanyard plan', () => {
  test('needs no broker and no settings', async () => {
    const { code, out, err } = await terminal.run(PLAN);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('ROLL-OUT: done on 2061-05-16, after 34y 183d. The limit registered-domain binds.');
    expect(await terminal.everyFile()).toEqual({});
  });

  test('takes every option', async () => {
    const options = [
      '--zones',
      '3',
      '--override',
      'new-orders=30000/3h,registered-domain=5000/7d',
      '--profile',
      'tlsserver',
    ];
    const { out } = await terminal.run([...PLAN, ...options, '--public-suffix', '--by', '2027-06-01', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      from: '2026-11-23T00:00:00.000Z',
      by: '2027-06-01T00:00:00.000Z',
      profile: 'tlsserver',
      fleet: { appliances: 90_000, zones: 3, isPublicSuffix: true },
      terms: {
        limits: {
          'new-orders': { burst: 30_000, periodMs: 10_800_000 },
          'registered-domain': { burst: 5000, periodMs: 604_800_000 },
          'exact-set': { burst: 5 },
        },
      },
      // (90,000 - 27,000) × 0.36 s
      rollOut: { binding: 'new-orders', durationMs: 22_680_000 },
    });
    expect(out.trim().split('\n')).toHaveLength(1);
  });

  test('starts today when nobody says when', async () => {
    const clock = new VirtualClock(Date.parse('2026-12-24T18:30:00Z'));
    const { out } = await terminal.run(['plan', '--appliances', '1'], { clock });
    expect(out).toContain('from 2026-12-24');
  });

  test('a limit may be taken away', async () => {
    const { out } = await terminal.run([...PLAN, '--override', 'registered-domain=none']);
    expect(out).toContain('The limit new-orders binds.');
  });

  test('--chart makes a page, again and again', async () => {
    const chart = join(terminal.directory, 'plan.html');
    for (const by of ['2027-06-01', '2027-07-01']) await terminal.run([...PLAN, '--by', by, '--chart', chart]);
    expect(await readFile(chart, 'utf8')).toMatch(/^<!doctype html>[^]*<svg [^]*<\/html>\n$/);
  });

  test('a page that cannot be written is told, and nothing is printed', async () => {
    const chart = join(terminal.directory, 'nowhere', 'plan.html');
    expect(await terminal.run([...PLAN, '--chart', chart])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/nowhere\/plan\.html cannot be written: ENOENT.*\[config-unreadable\]\n$/),
    });
  });

  const WRONG: readonly (readonly [args: readonly string[], complaint: string])[] = [
    [['--appliances', 'many'], '--appliances: must be a number'],
    [['--appliances', '0'], '--appliances: '],
    [['--appliances', '10000001'], '--appliances: '],
    [['--appliances', '1.5'], '--appliances: '],
    [['--appliances', '2', '--zones', '3'], '--zones: more than there are appliances'],
    [['--ca', 'nobody'], '--ca: must be one of letsencrypt, '],
    [['--ca', 'custom'], '--override: needed with --ca custom'],
    [['--profile', 'eternal'], '--profile: must be one of classic, tlsserver, shortlived'],
    [['--by', 'soon'], '--by: must be a date such as 2027-06-01'],
    [['--by', '2026-11-23'], '--by: must be after --from'],
    [['--from', '2026-02-30'], '--from: must be a date'],
    [['--override', 'coffees=5/7d'], 'limits are new-orders, registered-domain, '],
    [['--override', 'new-orders=0/3h'], '"new-orders=0/3h" must look like new-orders=30000/3h'],
    [['--override', 'new-orders=300/0h'], '--override: '],
    [['--override', 'new-orders=300/9999d'], '--override: '],
    [['--override', 'new-orders=300/3h,'], '--override: "" must look like'],
    [['--override', 'new-orders=300/3h5'], '--override: '],
  ];

  test.each(WRONG)('with %j says why', async (args, complaint) => {
    const { code, out, err } = await terminal.run([...PLAN, ...args]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(complaint);
    expect(err).toContain('[config-invalid]');
  });

  test('without a number of appliances is a wrong command line', async () => {
    const { code, err } = await terminal.run(['plan']);
    expect(code).toBe(2);
    expect(err).toContain("required option '--appliances <count>' not specified");
  });

  test('prints what the guide shows of it', async () => {
    const guide = await readFile(new URL('../../../docs/guides/plan-a-roll-out.md', import.meta.url), 'utf8');
    const [, line = ''] = /^lanyard (plan .*)$/m.exec(guide) ?? [];
    const printed = new Set((await terminal.run(line.split(' '))).out.split('\n'));
    const blocks = [...guide.matchAll(/^```(\w*)\n([^]*?)^```/gm)].filter(([, language]) => language === '');
    const shown = blocks.flatMap(([, , block = '']) => block.trimEnd().split('\n'));
    expect(shown.length).toBeGreaterThan(15);
    expect(shown.filter((one) => !printed.has(one))).toEqual([]);
  });

  test('a limit of one’s own is enough for a CA of one’s own', async () => {
    const { code, out } = await terminal.run([...PLAN, '--ca', 'custom', '--override', 'new-orders=300/h']);
    // (90,000 - 270) × 12 s
    expect([code, out]).toEqual([0, expect.stringContaining('= 1,076,760 s = 12d 11h')]);
  });
});
