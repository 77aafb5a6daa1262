/** Finds the programs that a test plays against, and decides what happens when they are not there. */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** Where `.ci/run` builds what no package has; in front, because Debian's Pebble knows no renewal information. */
const BUILT = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lanyard-peers');

const PLACES = [BUILT, ...(process.env['PATH'] ?? '').split(delimiter)];

/**
 * Whether one of `programs` is missing, for `describe.skipIf`; says which.
 * @throws when LANYARD_PEERS=required: there, a test that is left out is a test that failed.
 */
export function arePeersMissing(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => find(program) === undefined);
  if (missing.length === 0) return false;
  const message = `not installed: ${missing.join(', ')} (.ci/run shows how)`;
  if (process.env['LANYARD_PEERS'] === 'required') throw new Error(message);
  console.warn(`left out, ${message}`);
  return true;
}

/** The path of a program that `arePeersMissing` has found. */
export function peer(program: string): string {
  const path = find(program);
  if (path === undefined) throw new Error(`not installed: ${program}`);
  return path;
}

function find(program: string): string | undefined {
  return PLACES.map((place) => join(place, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
