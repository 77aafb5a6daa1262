/** The scenarios that come with the simulator, and those that users write: YAML, or a module that exports one. */
import { readFile, readdir } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LanyardError } from '@lanyard/sdk/kernel';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { expectations, scenarioSchema } from './scenario.ts';
import type { Expectations, Scenario } from './scenario.ts';

/** Beside `src` in a checkout and beside `dist` in the package. */
const SHIPPED = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../scenarios/' : '../scenarios/', import.meta.url),
);
const MODULES: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs']);

/** Every shipped scenario, in the order of their names. */
export async function shippedScenarios(): Promise<readonly Scenario[]> {
  // By their names and not their files: `ramp-override.yaml` stands before `ramp.yaml`.
  const names = (await readdir(SHIPPED))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'));
  return await Promise.all(names.toSorted().map((name) => readScenarioFile(resolve(SHIPPED, `${name}.yaml`))));
}

/**
 * @param wanted the name of a shipped scenario, or the path of a file.
 * @throws LanyardError `config-unreadable` | `config-invalid`, naming everything that is wrong.
 */
export async function findScenario(wanted: string): Promise<Scenario> {
  const isFile = extname(wanted) !== '' || wanted.includes('/');
  if (isFile) return await readScenarioFile(resolve(wanted));
  const names = (await shippedScenarios()).map(({ name }) => name);
  if (names.includes(wanted)) return await readScenarioFile(resolve(SHIPPED, `${wanted}.yaml`));
  const message = `there is no scenario "${wanted}": ${names.join(', ')}, or the path of a file`;
  throw new LanyardError('config-unreadable', { message });
}

/** @throws LanyardError `config-unreadable` | `config-invalid`. */
export async function readExpectations(path: string): Promise<Expectations> {
  return checked(expectations, await readYaml(resolve(path)), path);
}

async function readScenarioFile(path: string): Promise<Scenario> {
  const isModule = MODULES.has(extname(path));
  const given: unknown = isModule ? await importScenario(path) : await readYaml(path);
  // The file's name is name enough.
  const named: unknown =
    typeof given === 'object' && given !== null ? { name: basename(path, extname(path)), ...given } : given;
  return checked(scenarioSchema, named, path);
}

async function importScenario(path: string): Promise<unknown> {
  try {
    const loaded: unknown = await import(pathToFileURL(path).href);
    return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined;
  } catch (cause) {
    throw new LanyardError('config-unreadable', { message: `${path} cannot be loaded: ${String(cause)}`, cause });
  }
}

async function readYaml(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LanyardError('config-unreadable', { message: `${path} cannot be read`, cause });
  });
  try {
    return parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new LanyardError('config-invalid', { message: `${path} is not YAML: ${String(cause)}`, cause });
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, given: unknown, path: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new LanyardError('config-invalid', { message: `${path}: ${complaints.join('; ')}` });
}
