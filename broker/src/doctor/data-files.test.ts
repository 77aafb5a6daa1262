import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examineData } from './data-files.ts';
import type { DataSubject } from './data-files.ts';
import { complaintsOf } from './test-world.ts';

let subject: DataSubject;

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-doctor-'));
  const [key, database] = [join(directory, 'private-ca.key'), join(directory, 'lanyard.sqlite')];
  await writeFile(key, 'secret', { mode: 0o600 });
  await writeFile(database, '', { mode: 0o600 });
  subject = { directory, secrets: [key], database, inspectDatabase: () => [] };
});

afterEach(() => rm(subject.directory, { recursive: true, force: true }));

/** The machine's own disk is left out: it may be full. */
async function examined(changes: Partial<DataSubject> = {}): Promise<readonly string[]> {
  const findings = await examineData({ ...subject, ...changes });
  return complaintsOf(findings.filter(({ check }) => check !== 'disk'));
}

test('all is well', async () => {
  expect(await examined()).toEqual([]);
});

test('open to others', async () => {
  await chmod(subject.directory, 0o755);
  for (const secret of subject.secrets) await chmod(secret, 0o640);
  expect(await examined()).toEqual(['warning data-directory', 'error secrets']);
});

test('not there', async () => {
  for (const secret of subject.secrets) await rm(secret);
  await rm(subject.database);
  expect(await examined()).toEqual(['error secrets', 'skipped database']);
  expect(await examined({ directory: join(subject.directory, 'nowhere') })).toEqual(['error data-directory']);
});

test('a database that is not sound', async () => {
  const findings = await examineData({ ...subject, inspectDatabase: () => ['row 7 missing from index'] });
  expect(findings.find(({ check }) => check === 'database')?.what).toContain('row 7 missing from index');
});
