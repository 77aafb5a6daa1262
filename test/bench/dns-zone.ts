/** The same zone for every DNS server: as a file, as our database, and the questions that are asked of it. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openInlineStore } from '../../broker/src/store/inline-store.ts';
import { ZONE } from './dns-board.ts';

interface Address {
  readonly owner: string;
  readonly data: string;
}

/** One name in five is not there. */
const NEGATIVES_EVERY = 5;
/** Asked in this order, again and again. */
const QUESTIONS = 200_000;
/** As broker/src/fleet/label.ts has it. */
const LABEL_CHARACTERS = 16;
/** Records that are stored at once. */
const BATCH = 10_000;

/** @returns the path of the zone file. */
export async function writeZoneFile(directory: string, names: number): Promise<string> {
  const path = join(directory, 'zone.txt');
  const lines = addresses(names).map(({ owner, data }) => `${owner}. 60 IN A ${data}`);
  const head = [
    `${ZONE}. 3600 IN SOA ns1.${ZONE}. hostmaster.${ZONE}. 1 3600 600 604800 60`,
    `${ZONE}. 3600 IN NS ns1.${ZONE}.`,
    `ns1.${ZONE}. 3600 IN A 127.0.0.1`,
  ];
  await writeFile(path, `${[...head, ...lines].join('\n')}\n`);
  return path;
}

/** Puts the zone into the broker's database at `path`. */
export async function fillDatabase(path: string, names: number): Promise<void> {
  const store = openInlineStore(path);
  const records = addresses(names).map((address) => ({ ...address, type: 'A' as const }));
  await store.zones.load(ZONE);
  for (let start = 0; start < records.length; start += BATCH)
    await store.zones.change(ZONE, { add: records.slice(start, start + BATCH), remove: [] });
  store.close();
}

/** @returns the path of a file of questions in dnsperf's format. */
export async function writeQuestions(directory: string, names: number): Promise<string> {
  const path = join(directory, 'questions.txt');
  const lines = Array.from({ length: QUESTIONS }, (_, index) => {
    const number = createHash('sha256').update(`question ${index}`).digest().readUInt32BE(0) % names;
    return `${ownerOf(index % NEGATIVES_EVERY === 0 ? number + names : number)} A`;
  });
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

/** In the order of the database's key, so that filling it is quick. */
function addresses(names: number): readonly Address[] {
  const all = Array.from({ length: names }, (_, index) => ({ owner: ownerOf(index), data: addressOf(index) }));
  return all.toSorted((one, other) => (one.owner < other.owner ? -1 : 1));
}

/** As random and as long as the labels that the broker gives. */
function ownerOf(index: number): string {
  return `${createHash('sha256').update(`name ${index}`).digest('hex').slice(0, LABEL_CHARACTERS)}.${ZONE}`;
}

function addressOf(index: number): string {
  return `192.168.${(index >>> 8) & 0xff}.${index & 0xff}`;
}
