/** What docs/guides/simulate-a-fleet.md shows can be typed and saved as it stands. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { simulator, summaryOf } from './simulator.ts';

const GUIDE = readFileSync(new URL('../../docs/guides/simulate-a-fleet.md', import.meta.url), 'utf8');

test.concurrent('its scenario passes, also with the expectations from another file', async () => {
  await using temporary = await temporaryDirectory();
  const [scenario = '', expectations = '', ...others] = blocksOf('yaml');
  expect(others).toEqual([]);
  const path = join(temporary.path, 'my-roll-out.yaml');
  const nightly = join(temporary.path, 'nightly.yaml');
  await writeFile(path, scenario);
  await writeFile(nightly, expectations);

  const ended = succeeded(await simulator('run', path, '--appliances', 30, '--seed', 7));
  succeeded(await simulator('run', path, '--appliances', 10, '--seed', 7, '--expect', nightly));

  expect(summaryOf(ended)).toMatchObject({ scenario: 'my-roll-out', appliances: 30, certified: 30, violations: 0 });
});

test.concurrent('its commands know their options, and its summary is one', async () => {
  const commands = blocksOf('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith('npx ')));
  const { stdout: help } = succeeded(await simulator('run', '--help'));
  const options = commands.flatMap((line) => [...line.matchAll(/--[\w-]+/g)].map(([option]) => option));

  expect(options.length).toBeGreaterThan(8);
  expect(options.filter((option) => !help.includes(`${option} `))).toEqual([]);
  const [summary = ''] = blocksOf('json');
  expect(summaryOf({ stdout: JSON.stringify(JSON.parse(summary)), report: '' })).toMatchObject({ gear: 'virtual' });
});

function blocksOf(language: string): readonly string[] {
  return [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, block = '']) => block);
}
