import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findScenario, readExpectations, shippedScenarios } from './catalogue.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalogue-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('the shipped scenarios', () => {
  test('all can be read, have names of their own, and come in the order of these', async () => {
    const names = (await shippedScenarios()).map(({ name }) => name);
    expect(names).toContain('first-boot');
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(names.toSorted());
  });

  test('each is found by its name', async () => {
    for (const shipped of await shippedScenarios()) expect(await findScenario(shipped.name)).toEqual(shipped);
  });

  test.each(['fist-boot', 'toString', ''])('%o is not one of them, and those are named', async (wanted) => {
    await expect(findScenario(wanted)).rejects.toMatchObject({
      code: 'config-unreadable',
      message: expect.stringMatching(/first-boot.*renewal-year.*path of a file/),
    });
  });
});

describe('a file of one’s own', () => {
  test('YAML: what is left out has its default, and the file’s name is name enough', async () => {
    const path = await fileOf('our-fleet.yaml', 'about: Ours.\nappliances: 7\nfor: 30d\n');
    expect(await findScenario(path)).toMatchObject({ name: 'our-fleet', appliances: 7, for: 2_592_000_000, shards: 1 });
  });

  test('YAML: a name inside it goes before the file’s', async () => {
    const path = await fileOf('Draft 3.yml', 'name: our-fleet\nabout: Ours.\n');
    expect((await findScenario(path)).name).toBe('our-fleet');
  });

  test('a module exports one', async () => {
    const path = await fileOf(
      'our-module.mjs',
      'export default { about: `Ours, ${2 + 2} of them.`, appliances: 2 + 2 };',
    );
    expect(await findScenario(path)).toMatchObject({ name: 'our-module', about: 'Ours, 4 of them.', appliances: 4 });
  });

  test.each<[string, string, string, RegExp]>([
    ['wrong settings', 'a.yaml', 'about: A.\nappliances: none\nwether: {}\n', /appliances: .*; .*wether/],
    ['no YAML', 'a.yaml', 'about: [A.\n', /is not YAML/],
    ['a list', 'a.yaml', '- about: A.\n', /a\.yaml: /],
    ['nothing', 'a.yaml', '', /the file: /],
    ['a text', 'a.yaml', 'just words\n', /the file: /],
    ['a bomb of aliases', 'a.yaml', bomb(), /is not YAML/],
    ['a module without a default', 'a.mjs', 'export const scenario = {};', /the file: /],
  ])('%s: refused with the path and the place', async (_, name, text, complaint) => {
    const path = await fileOf(name, text);
    await expect(findScenario(path)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(complaint),
    });
    await expect(findScenario(path)).rejects.toThrow(path);
  });

  test.each(['missing.yaml', 'missing.ts'])('%s: refused with the path', async (name) => {
    const path = join(folder, name);
    const refusal = { code: 'config-unreadable', message: expect.stringContaining(path) };
    await expect(findScenario(path)).rejects.toMatchObject(refusal);
  });

  test('a module that throws is refused with what it said', async () => {
    const path = await fileOf('broken.mjs', 'throw new Error("out of ideas");');
    await expect(findScenario(path)).rejects.toMatchObject({
      code: 'config-unreadable',
      message: expect.stringContaining('out of ideas'),
    });
  });
});

describe('expectations in a file', () => {
  test('are read with their defaults', async () => {
    const path = await fileOf('expect.yaml', 'demands:\n  - { measure: certified, atLeast: 7 }\n');
    expect(await readExpectations(path)).toEqual({ demands: [{ measure: 'certified', atLeast: 7 }], tolerate: [] });
  });

  test('tolerance needs its reason', async () => {
    const path = await fileOf('expect.yaml', 'tolerate:\n  - { invariant: no-tight-loop }\n');
    await expect(readExpectations(path)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('tolerate.0.because'),
    });
  });
});

/** Ten lines that would unfold to a billion. */
function bomb(): string {
  const lines = Array.from({ length: 9 }, (_, level) => {
    const alias = level === 0 ? 'x' : `*a${level - 1}`;
    return `k${level}: &a${level} [${Array.from({ length: 10 }, () => alias).join(', ')}]`;
  });
  return lines.join('\n');
}
