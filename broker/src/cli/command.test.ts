import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();

describe('the command line', () => {
  test.each([
    [['nonsense']],
    [['device', 'nonsense']],
    [['serve', '--loud']],
    [['device', 'show']],
    [['device', 'show', 'a', 'b']],
  ])('%j is wrong: exit code 2, and nothing on standard output', async (args) => {
    const { code, out, err } = await terminal.run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: /);
  });

  test('nothing at all shows what there is: exit code 2', async () => {
    const { code, err } = await terminal.run([]);
    expect(code).toBe(2);
    expect(err).toContain('Usage: lanyard');
  });

  test('asked for help or its version it answers with exit code 0', async () => {
    expect(await terminal.run(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' });
    for (const args of [['--help'], ['help', 'init'], ['device', '--help'], ['device', 'enrol', '--help']]) {
      expect(await terminal.run(args)).toMatchObject({
        code: 0,
        out: expect.stringContaining('Usage: lanyard'),
        err: '',
      });
    }
  });

  test('serve without settings says how to make some', async () => {
    expect(await terminal.run(['serve'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /lanyard\.yaml cannot be read\. Make one with `lanyard init`.*\[config-unreadable\]\n$/,
      ),
    });
  });

  test('serve that fails is told with its code', async () => {
    expect(await terminal.run(['serve'], { serve: fail })).toEqual({
      code: 1,
      out: '',
      err: 'lanyard: port 53 is taken [listener-failed]\n',
    });
  });
});

async function fail(): Promise<never> {
  throw new LanyardError('listener-failed', { message: 'port 53 is taken' });
}
