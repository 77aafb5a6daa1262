/** Random changes of the example zone, for the tests of this folder. Not part of the product. */
import { seededRandom } from '@lanyard/sdk/testing';
import { EXAMPLE_APEX } from './example-zone.ts';
import type { ZoneChange } from './served-zone.ts';
import type { RecordSet } from './zone.ts';
import type { ZoneRecord } from './zone-journal.ts';

/** Few names, so that they meet: taken away while there are names below, put up again, changed twice. */
const NAMES = ['a', 'b', 'c', 'd', '_acme-challenge.a', '_acme-challenge.b', 'x.y.c', '_acme-challenge.x.y.c'];

export function randomChanges(seed: number, firstSerial: number): () => ZoneChange {
  const random = seededRandom(seed);
  let serial = firstSerial;
  const record = (): ZoneRecord => {
    const owner = `${NAMES[Math.floor(random.uniform() * NAMES.length)]}.${EXAMPLE_APEX}`;
    const number = Math.floor(random.uniform() * 4);
    return owner.startsWith('_acme')
      ? { owner, type: 'TXT', data: `text ${number}` }
      : { owner, type: 'A', data: `10.0.0.${number}` };
  };
  return () => {
    const added = random.uniform() < 0.6 ? [record()] : [];
    const clear = random.uniform() < 0.3 ? [{ owner: record().owner, types: ['A', 'AAAA'] as const }] : [];
    const remove = random.uniform() < 0.4 ? [record(), record()] : [];
    return { apex: EXAMPLE_APEX, serial: serial++, clear, remove, add: added };
  };
}

/** Every record as a line, sorted; records that come twice are there twice. */
export function linesOf(sets: Iterable<RecordSet>): readonly string[] {
  return [...sets]
    .flatMap((set) => {
      if (set.kind === 'soa') return [`${set.owner} SOA ${set.serial}`];
      if (set.kind === 'name-servers') return set.names.map((name) => `${set.owner} NS ${name}`);
      return set.data.map((octets) => `${set.owner} ${set.type} ${Buffer.from(octets, 'latin1').toString('hex')}`);
    })
    .toSorted();
}
