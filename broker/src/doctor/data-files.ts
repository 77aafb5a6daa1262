/** Are the files of the data directory there, private and sound, and is there room for more? */
import { stat, statfs } from 'node:fs/promises';
import { error, ok, skipped, warning } from './finding.ts';
import type { Finding } from './finding.ts';

export interface DataSubject {
  readonly directory: string;
  /** Files that nobody else may read. */
  readonly secrets: readonly string[];
  readonly database: string;
  /** What is wrong with the database by its own check; empty: nothing. It blocks while it looks. */
  readonly inspectDatabase: (path: string) => readonly string[];
}

/** A burst of the log is 64 MiB; a gigabyte lasts until somebody has read the warning. */
const LEAST_FREE_BYTES = 1024 ** 3;
/** SQLite reads some 500 MB a second: a larger file would take longer than anybody waits. */
const LARGEST_DATABASE_BYTES = 2 * 1024 ** 3;

export async function examineData(subject: DataSubject): Promise<readonly Finding[]> {
  const { directory, secrets } = subject;
  const mode = await modeOf(directory);
  if (mode === undefined) return [error('data-directory', noDirectory(directory))];
  const privacy = await Promise.all(secrets.map(examineSecret));
  return [judgeDirectory(directory, mode), ...privacy, await examineDatabase(subject), await examineRoom(directory)];
}

function judgeDirectory(directory: string, mode: number): Finding {
  if ((mode & 0o077) === 0) return ok('data-directory', `${directory} is open to its owner only`);
  return warning('data-directory', {
    what: `${directory} is open to others than its owner.`,
    why: 'It holds keys, and the map of the whole fleet.',
    mend: `chmod 700 ${directory}`,
  });
}

async function examineSecret(path: string): Promise<Finding> {
  const mode = await modeOf(path);
  if (mode === undefined) {
    return error('secrets', {
      what: `${path} is not there, or cannot be read by this user.`,
      why: 'The broker does not start without it.',
      mend: 'Restore it from the backup, or run the doctor as the broker’s own user; `lanyard init` makes it for a new fleet.',
    });
  }
  if ((mode & 0o077) === 0) return ok('secrets', `${path} is for its owner only`);
  return error('secrets', {
    what: `${path} can be read by others than its owner.`,
    why: 'Whoever has it can pretend to be the broker or its operator, so that the broker does not start.',
    mend: `chmod 600 ${path}`,
  });
}

async function examineDatabase({ database, inspectDatabase }: DataSubject): Promise<Finding> {
  const size = await stat(database).then(
    ({ size: bytes }) => bytes,
    () => undefined,
  );
  if (size === undefined)
    return skipped('database', `${database} is not there: the broker makes it when it first starts`);
  if (size > LARGEST_DATABASE_BYTES) {
    return skipped('database', `${database} is too large to be checked here: sqlite3 ${database} "PRAGMA quick_check"`);
  }
  const faults = inspectDatabase(database);
  if (faults.length === 0) return ok('database', `${database} opens and is sound`);
  return error('database', {
    what: `${database} is not sound: ${faults.join('; ')}.`,
    why: 'Names, orders and the zone are in it, and a damaged file loses more with every write.',
    mend: 'Stop the broker, keep a copy of the file, and restore the last backup.',
  });
}

async function examineRoom(directory: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  const free = `${(freeBytes / LEAST_FREE_BYTES).toFixed(1)} GiB`;
  if (freeBytes >= LEAST_FREE_BYTES) return ok('disk', `${free} are free`);
  return warning('disk', {
    what: `Only ${free} are free where ${directory} is.`,
    why: 'On a full disk nothing is accepted any more.',
    mend: 'Make room, or move the data directory to a larger disk.',
  });
}

async function modeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ mode }) => mode,
    () => undefined,
  );
}

function noDirectory(directory: string): Parameters<typeof error>[1] {
  return {
    what: `The data directory ${directory} is not there, or cannot be read by this user.`,
    why: 'Keys and database are in it.',
    mend: 'Run `lanyard init`, correct `data` in the settings, or run the doctor as the broker’s own user.',
  };
}
