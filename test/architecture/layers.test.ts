/** The dependency rule holds, and the tool that says so would notice if it did not. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CRUISER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
const RULES = join(ROOT, '.dependency-cruiser.cjs');
const SOURCES = ['sdk/src', 'broker/src', 'simulator/src'];

test('no import crosses a layer', { timeout: 120_000 }, async () => {
  const output = await cruise(ROOT);
  expect(violationsOf(output)).toEqual([]);
  // Rules hold easily over nothing.
  expect(Number(/\((\d+) modules/.exec(output)?.[1])).toBeGreaterThan(100);
});

describe('a fault that somebody makes is found', () => {
  /** What is in a file, and the rule that it breaks. */
  const faults: Readonly<Record<string, readonly [file: string, source: string]>> = {
    'no-circles': ['broker/src/fleet/around.ts', `export type { a } from './back.ts';`],
    'no-missing': ['broker/src/fleet/missing.ts', `import './nowhere.ts';`],
    'tests-stay-outside': ['broker/src/dns/tested.ts', `import '../../../test/support/tool.ts';`],
    'time-and-dice': ['sdk/src/link/hurry.ts', `import { setTimeout } from 'node:timers/promises';`],
    'protocol-imports-nothing': ['sdk/src/protocol/clever.ts', `import '../kernel/index.ts';`],
    'kernel-imports-nothing': ['sdk/src/kernel/clever.ts', `import 'node:fs';`],
    'sdk-stands-alone': ['sdk/src/link/curious.ts', `import type { a } from '../../../broker/src/fleet/back.ts';`],
    'sdk-wired-in-one-place': ['sdk/src/link/upwards.ts', `import '../index.ts';`],
    'sdk-doubles-are-for-tests': ['broker/src/dns/double.ts', `import '@lanyard/sdk/testing';`],
    'broker-takes-ground-only': ['broker/src/dns/greedy.ts', `import type { sdk } from '@lanyard/sdk';`],
    'broker-knows-no-simulator': ['broker/src/dns/dreamer.ts', `import '../../../simulator/src/world/a.ts';`],
    'domain-is-pure': ['broker/src/fleet/impure.ts', `import type { Socket } from 'node:net';`],
    'domains-apart': ['broker/src/certificates/nosy.ts', `import type { a } from '../fleet/back.ts';`],
    'plan-is-pure': ['broker/src/plan/asking.ts', `import type { a } from '../fleet/back.ts';`],
    'adapters-apart': ['broker/src/dns/talkative.ts', `import type { a } from '../mqtt/a.ts';`],
    'folders-do-not-look-up': ['broker/src/mqtt/settings.ts', `import type { a } from '../node-version.ts';`],
    'cli-looks-up-for-settings-only': ['broker/src/cli/serve.ts', `import '../broker.ts';`],
    'one-wiring': ['broker/src/registry.ts', `import './mqtt/a.ts';`],
    'process-and-face-are-thin': ['broker/src/main.ts', `import './mqtt/a.ts';`],
    'environment-in-one-place': ['broker/src/node-version.ts', `import { env } from 'node:process';`],
    'simulator-uses-public-entries': ['simulator/src/fleet/thief.ts', `import '../../../broker/src/fleet/back.ts';`],
    'world-knows-no-fleet': ['simulator/src/world/watcher.ts', `import type { a } from '../fleet/a.ts';`],
    'fleet-knows-no-scenario': ['simulator/src/fleet/actor.ts', `import type { a } from '../scenarios/a.ts';`],
    'report-knows-no-world': ['simulator/src/report/gossip.ts', `import type { a } from '../world/a.ts';`],
    'node-sqlite-has-one-home': ['broker/src/admin/shortcut.ts', `import 'node:sqlite';`],
    'aedes-has-one-home': ['broker/src/admin/stranger.ts', `import 'aedes';`],
    'packages-declared': ['broker/src/admin/guest.ts', `import 'kleur';`],
  };
  const innocent: Readonly<Record<string, string>> = {
    'broker/src/fleet/back.ts': `export type { b } from './around.ts'; export type a = 1;`,
    'broker/src/mqtt/a.ts': 'export type a = 1;',
    'broker/src/broker.ts': `import './mqtt/a.ts';`,
    'simulator/src/world/a.ts': 'export type a = 1;',
    'simulator/src/fleet/a.ts': 'export type a = 1;',
    'simulator/src/scenarios/a.ts': 'export type a = 1;',
    'sdk/src/index.ts': 'export type sdk = 1;',
    'sdk/src/kernel/index.ts': `import 'node:crypto';`,
    'sdk/src/testing/index.ts': 'export const a = 1;',
    'test/support/tool.ts': 'export const a = 1;',
  };
  const packages: Readonly<Record<string, string>> = {
    'package.json': '{ "workspaces": ["sdk", "broker"] }',
    'tsconfig.json': '{}',
    'sdk/package.json': JSON.stringify({
      name: '@lanyard/sdk',
      exports: {
        '.': { 'lanyard-source': './src/index.ts' },
        './testing': { 'lanyard-source': './src/testing/index.ts' },
      },
    }),
    'broker/package.json': '{ "dependencies": { "@lanyard/sdk": "*", "aedes": "*" } }',
    'node_modules/aedes/package.json': '{ "name": "aedes", "main": "index.js" }',
    'node_modules/aedes/index.js': '',
    'node_modules/kleur/package.json': '{ "name": "kleur", "main": "index.js" }',
    'node_modules/kleur/index.js': '',
  };

  let directory = '';
  let found: readonly string[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'layers-'));
    const faulty = Object.fromEntries(Object.values(faults));
    for (const [path, source] of Object.entries({ ...packages, ...innocent, ...faulty })) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), source);
    }
    await mkdir(join(directory, 'node_modules/@lanyard'));
    await symlink('../../sdk', join(directory, 'node_modules/@lanyard/sdk'));
    found = violationsOf(await cruise(directory));
  }, 120_000);

  afterAll(() => rm(directory, { recursive: true }));

  test.each(Object.keys(faults))('%s', (name) => {
    const [file] = faults[name] ?? [];
    expect(found).toContain(`${name}: ${file}`);
  });
});

/** What the tool prints, whatever it finds: the number of violations is its exit code. */
async function cruise(directory: string): Promise<string> {
  const args = [CRUISER, '--config', RULES, ...SOURCES];
  const child = spawn(process.execPath, args, { cwd: directory, env: { ...process.env, NO_COLOR: '1' } });
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (complaint !== '') throw new Error(complaint);
  return output;
}

/** Each as `rule: file`, without what the file imports. */
function violationsOf(output: string): readonly string[] {
  return [...output.matchAll(/^ {2}error (\S+): (\S+)/gm)].map(([, rule, file]) => `${rule}: ${file}`);
}
