import { describe, expect, test } from 'vitest';
import type { Finding } from './context.ts';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();

const WELL: Finding = { check: 'tcp', severity: 'ok', what: 'it answers over TCP' };
const SKIPPED: Finding = { check: 'mqtt', severity: 'skipped', what: 'not tried' };
const WARNING: Finding = { check: 'clock', severity: 'warning', what: 'Wrong.', why: 'It matters.', mend: 'Set it.' };
const ERROR: Finding = { check: 'glue', severity: 'error', what: 'None.', why: 'It matters.', mend: 'Add it.' };

const finding = (...findings: readonly Finding[]) => ({ examine: async () => findings });

describe('lanyard doctor', () => {
  test('without errors it ends well, warnings or not', async () => {
    expect(await terminal.run(['doctor'], finding(WELL, WARNING, SKIPPED))).toEqual({
      code: 0,
      out: `warning  clock                Wrong.
                              It matters.
                              Set it.
skipped  mqtt                 not tried
ok       tcp                  it answers over TCP
0 error, 1 warning, 1 skipped, 1 ok
`,
      err: '',
    });
  });

  test('errors come first, and make it fail', async () => {
    const { code, out, err } = await terminal.run(['doctor'], finding(WELL, WARNING, ERROR));
    expect(code).toBe(1);
    expect(out).toMatch(/^error {4}glue {17}None\.\n {30}It matters\.\n {30}Add it\.\nwarning/);
    expect(err).toBe('lanyard: 1 of 3 findings are errors [examination-failed]\n');
  });

  test('--json is for machines', async () => {
    const { code, out } = await terminal.run(['doctor', '--json'], finding(WELL, ERROR));
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({ findings: [ERROR, WELL] });
  });

  test('resolvers are handed on', async () => {
    const asked: unknown[] = [];
    const examine = async (what: unknown) => (asked.push(what), []);
    await terminal.run(['doctor'], { examine });
    await terminal.run(['doctor', '--resolver', '1.1.1.1', '--resolver', '[::1]:5335'], { examine });
    const configPath = terminal.config;
    expect(asked).toEqual([
      { configPath, resolvers: [] },
      { configPath, resolvers: ['1.1.1.1', '[::1]:5335'] },
    ]);
  });

  test('a resolver is an address', async () => {
    const { code, err } = await terminal.run(['doctor', '--resolver', 'dns.example.com'], finding());
    expect([code, err]).toEqual([1, 'lanyard: --resolver must be an address, such as 1.1.1.1 [option-invalid]\n']);
  });
});
