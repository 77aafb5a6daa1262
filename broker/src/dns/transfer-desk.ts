/** Answers what is signed (RFC 8945): zone transfers for the secondaries, and whatever else they sign. */
import { sign, signError, signInRow } from '../tsig/sign.ts';
import { verify, type Verification } from '../tsig/verify.ts';
import { encodeOverflow, encodeRecords, encodeRefusal, encodeResponse, sizeLimit } from './encode-response.ts';
import { parseQuery, type Query } from './parse-query.ts';
import { mayTransfer, type TransferPolicy } from './transfer-policy.ts';
import { changesSince, oneByOne, wholeZone } from './transfer-records.ts';
import { readOfferedSerial } from './soa-data.ts';
import { CLASS_IN, HEADER_BYTES, RCODE, TYPE, type Transport } from './wire.ts';
import { answer, bare, type RecordSet, type Response, type Zone } from './zone.ts';
import type { ZoneHistory } from './zone-history.ts';
import { soaOf } from './zone-view.ts';

export interface TransferDeskOptions {
  readonly policy: TransferPolicy;
  readonly histories: () => readonly ZoneHistory[];
  readonly nowMs: () => number;
}

export interface Asker {
  readonly transport: Transport;
  readonly address: string;
}

/** One answer, many messages that belong together, or undefined: not signed, or beyond understanding. */
export type SignedAnswer = Buffer | Iterable<Buffer> | undefined;

type Good = Extract<Verification, { readonly kind: 'good' }>;

/**
 * Enough to make the signature cheap; no message is so long that nobody is answered meanwhile. BIND and Knot cut at 16
 * to 64 KiB, too. Pointers of compression reach no further than this either (RFC 1035 §4.1.4).
 */
const MOST_BYTES = 16_000;

export class TransferDesk {
  readonly #options: TransferDeskOptions;

  constructor(options: TransferDeskOptions) {
    this.#options = options;
  }

  answer(message: Buffer, asker: Asker, zones: readonly Zone[]): SignedAnswer {
    // Nearly every question ends here: without additional records there is no signature.
    if (message.length < HEADER_BYTES || message.readUInt16BE(10) === 0) return undefined;
    const nowMs = this.#options.nowMs();
    const verified = verify(message, { keys: this.#options.policy.keys, nowMs });
    if (verified.kind === 'unsigned') return undefined;
    const query = parseQuery(message);
    if (query.kind !== 'query') return undefined;
    if (verified.kind === 'malformed') return encodeRefusal({ ...query, kind: 'refusal', rcode: RCODE.FORMERR });
    if (verified.kind === 'bad')
      return signError(encodeResponse(query, NOT_AUTHENTIC, asker.transport), { ...verified, nowMs });
    const isTransfer = query.type === TYPE.AXFR || query.type === TYPE.IXFR;
    const isOrdinary = !isTransfer || query.opcode !== 0 || query.class !== CLASS_IN || (query.edns?.version ?? 0) > 0;
    return isOrdinary
      ? this.#one(query, answer(zones, query), asker, verified)
      : this.#transfer(query, asker, verified);
  }

  #transfer(query: Query, asker: Asker, verified: Good): SignedAnswer {
    const history = this.#options.histories().find(({ zone }) => zone.apex === query.name);
    if (!mayTransfer(this.#options.policy, asker.address, verified.key))
      return this.#one(query, REFUSED, asker, verified);
    // RFC 5936 §2.2.1.
    if (history === undefined) return this.#one(query, NOT_AUTHENTIC, asker, verified);
    if (query.type === TYPE.AXFR) {
      // RFC 5936 §4.2: there is no AXFR over UDP.
      if (asker.transport === 'udp') return this.#one(query, REFUSED, asker, verified);
      return this.#many(query, wholeZone(history), verified);
    }
    const serial = readOfferedSerial(query);
    if (serial === undefined) return this.#one(query, MALFORMED, asker, verified);
    // RFC 1995 §2: the SOA alone says "come by TCP".
    if (asker.transport === 'udp') return this.#one(query, soaAlone(history), asker, verified);
    return this.#many(query, changesSince(history, serial), verified);
  }

  #one(query: Query, response: Response, { transport }: Asker, { key, mac }: Good): Buffer {
    const nowMs = this.#options.nowMs();
    const signed = sign(encodeResponse(query, response, transport), { key, nowMs, requestMac: mac }).message;
    if (signed.length <= sizeLimit(query, transport)) return signed;
    return sign(encodeOverflow(query, response, transport, undefined), { key, nowMs, requestMac: mac }).message;
  }

  *#many(query: Query, sets: Iterable<RecordSet>, { key, mac }: Good): Generator<Buffer> {
    const signNext = signInRow({ key, requestMac: mac });
    const records = oneByOne(sets);
    try {
      let next = records.next();
      while (next.done !== true) {
        const message = encodeRecords(query, MOST_BYTES, (write) => {
          while (next.done !== true && write(next.value)) next = records.next();
        });
        yield signNext(message, this.#options.nowMs());
      }
    } finally {
      // The client may have gone half-way: the view of the zone is not needed any more.
      records.return(undefined);
    }
  }
}

const REFUSED = bare(RCODE.REFUSED);
const NOT_AUTHENTIC = bare(RCODE.NOTAUTH);
const MALFORMED = bare(RCODE.FORMERR);

function soaAlone({ zone }: ZoneHistory): Response {
  return { ...bare(RCODE.NOERROR), isAuthoritative: true, answer: [soaOf(zone)] };
}
