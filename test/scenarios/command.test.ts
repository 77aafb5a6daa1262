/** What the command says about scenarios, expectations and failures, and with which exit code. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { simulator, summaryOf } from './simulator.ts';

const SMALL = 'about: A small one.\nappliances: 5\nfor: 1d\n';

describe('what is wrong is named, and nothing is played', () => {
  test.concurrent.each([
    ['a field', `${SMALL}aplliances: 5\n`, /wrong\.yaml: .*aplliances/],
    ['a duration', `${SMALL}events: [{ at: soon, do: move }]\n`, /events\.0\.at: "soon" is no duration such as 90s/],
    ['YAML', 'about: "\n', /wrong\.yaml is not YAML/],
    ['a measure', `${SMALL}expect: { demands: [{ measure: certifed, atLeast: 1 }] }\n`, /certifed.*near are certified/],
  ])('a file with a wrong %s', async (_, text, complaint) => {
    await using temporary = await temporaryDirectory();
    const path = join(temporary.path, 'wrong.yaml');
    await writeFile(path, text);

    const { code, stdout, stderr } = await simulator('run', path);

    expect(stderr).toMatch(complaint);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  test.concurrent.each([
    ['an unknown scenario, with those that exist', ['second-boot'], /"second-boot": .*first-boot, /],
    ['a file that is not there', ['./nowhere.yaml'], /nowhere\.yaml cannot be read/],
    ['a gear that the scenario does not play in', ['renewal-year', '--gear', 'wall'], /plays in the gear virtual/],
  ])('%s', async (_, args, complaint) => {
    const { code, stdout, stderr } = await simulator('run', ...args);

    expect(stderr).toMatch(complaint);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  test.concurrent('an option that does not exist ends with 2', async () => {
    const { code, stderr } = await simulator('run', 'first-boot', '--sed', '1');

    expect(stderr).toContain("unknown option '--sed'");
    expect(code).toBe(2);
  });
});

test.concurrent('a demand that is not met is named, and the exit code is 1', async () => {
  await using temporary = await temporaryDirectory();
  const expectations = join(temporary.path, 'expect.yaml');
  await writeFile(expectations, 'demands:\n  - { measure: timeToCertificateMs.p99, atMost: 1s }\n');

  const ended = await simulator('run', 'first-boot', ...at(5, 1), '--expect', expectations);

  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^not met: timeToCertificateMs\.p99 is \d+s, wanted at most 1s$/m);
  expect(summaryOf(ended)).toMatchObject({ certified: 5, violations: 0 });
});

test.concurrent('a scenario of one’s own plays, and is named after its file', async () => {
  await using temporary = await temporaryDirectory();
  const path = join(temporary.path, 'my-fleet.yaml');
  await writeFile(path, `${SMALL}expect: { demands: [{ measure: certifiedShare, atLeast: 1 }] }\n`);

  const ended = await simulator('run', path, '--seed', 3);

  succeeded(ended);
  expect(summaryOf(ended)).toMatchObject({ scenario: 'my-fleet', appliances: 5, seed: 3, certified: 5 });
});

test.concurrent('the same seed makes the same events, another seed others', async () => {
  const hashes = await Promise.all(
    [1, 1, 2].map(async (seed) => summaryOf(await simulator('run', 'first-boot', ...at(5, seed)))),
  );
  const [one, again, other] = hashes.map(({ eventHash }) => eventHash);

  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

test.concurrent('--until ends early, --only switches on one appliance, and the reports say so', async () => {
  await using temporary = await temporaryDirectory();
  const [json, html] = ['result.json', 'report.html'].map((name) => join(temporary.path, name));
  const narrow = ['--until', '5m', '--only', '3', '--json', json ?? '', '--report', html ?? ''];
  const ended = await simulator('run', 'first-boot', ...at(5, 1), ...narrow);

  // What is demanded of a fleet is not demanded of one.
  succeeded(ended);
  const result: unknown = JSON.parse(await readFile(json ?? '', 'utf8'));
  expect(result).toMatchObject({ simulatedMs: 300_000, certified: 1, heads: { live: 1 }, demands: [] });
  expect(await readFile(html ?? '', 'utf8')).toContain('first-boot');
});

function at(appliances: number, seed: number): readonly (string | number)[] {
  return ['--gear', 'virtual', '--appliances', appliances, '--seed', seed];
}
