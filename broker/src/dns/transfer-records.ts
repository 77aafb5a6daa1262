/** The records of a zone transfer, in their order on the wire. */
import type { DataSet, RecordSet, SoaSet } from './zone.ts';
import type { Delta, ZoneHistory } from './zone-history.ts';
import { soaOf } from './zone-view.ts';
import { isNewerSerial } from './serial.ts';

/** AXFR (RFC 5936 §2.2). */
export function wholeZone(history: ZoneHistory): Iterable<RecordSet> {
  return history.whole();
}

/**
 * IXFR (RFC 1995 §4): the changes since `serial`; the SOA alone for those who have them all; the whole zone when they
 * are not known any more.
 */
export function* changesSince(history: ZoneHistory, serial: number): Generator<RecordSet> {
  const soa = soaOf(history.zone);
  if (!isNewerSerial(soa.serial, serial)) {
    yield soa;
    return;
  }
  const deltas = history.since(serial);
  if (deltas === undefined) yield* history.whole();
  else yield* differences(soa, deltas);
}

/** RFC 1995 §4: old SOA, what went, new SOA, what came; for each change, between the newest SOA twice. */
function* differences(soa: SoaSet, deltas: readonly Delta[]): Generator<RecordSet> {
  yield soa;
  for (const { fromSerial, toSerial, removed, added } of deltas) {
    yield { ...soa, serial: fromSerial };
    yield* removed;
    yield { ...soa, serial: toSerial };
    yield* added;
  }
  yield soa;
}

/** Record by record, so that messages can be cut anywhere. */
export function* oneByOne(sets: Iterable<RecordSet>): Generator<RecordSet> {
  for (const set of sets) {
    if (set.kind === 'data' && set.data.length > 1) yield* split(set);
    else yield set;
  }
}

function* split(set: DataSet): Generator<DataSet> {
  for (const octets of set.data) yield { ...set, data: [octets] };
}
