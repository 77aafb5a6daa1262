/** DNS messages of the doctor's, by a library that is not ours: it finds what our own server writes wrongly. */
import type { Random } from '@lanyard/sdk/kernel';
import dnsPacket from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';
import type { DnsQuestion, DnsRecord, DnsReply } from './ask-dns.ts';
import { canonicalAddress } from './public-address.ts';

/** DNS flag day 2020: what gets through everywhere without fragments. */
const UDP_PAYLOAD_BYTES = 1232;

export interface AskedMessage {
  readonly id: number;
  /** In the letter case in which it goes out. */
  readonly name: string;
  readonly type: DnsQuestion['type'];
  readonly bytes: Buffer;
}

export function writeQuestion({ name, type, isRecursive = false }: DnsQuestion, random: Random): AskedMessage {
  const id = Buffer.from(random.bytes(2)).readUInt16BE();
  const mixed = mixCase(name, random);
  const bytes = dnsPacket.encode({
    type: 'query',
    id,
    flags: isRecursive ? dnsPacket.RECURSION_DESIRED : 0,
    questions: [{ name: mixed, type }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD_BYTES,
        flags: 0,
        extendedRcode: 0,
        ednsVersion: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  return { id, name: mixed, type, bytes };
}

export type ReadMessage = { readonly reply: DnsReply; readonly isTruncated: boolean } | undefined;

/** Undefined when it is no answer to that question: noise, or somebody's forgery. */
export function readMessage(bytes: Buffer, asked: AskedMessage): ReadMessage {
  let packet: DecodedPacket;
  try {
    packet = dnsPacket.decode(bytes);
  } catch {
    return undefined;
  }
  const question = packet.questions?.[0];
  if (packet.type !== 'response' || packet.id !== asked.id || question?.type !== asked.type) return undefined;
  if (question.name.toLowerCase() !== asked.name.toLowerCase()) return undefined;
  return { reply: replyOf(packet, question.name === asked.name), isTruncated: packet.flag_tc };
}

function replyOf(packet: DecodedPacket, isCaseKept: boolean): DnsReply {
  const additionals = packet.additionals ?? [];
  const [opt] = additionals.flatMap((record) => (record.type === 'OPT' ? [record] : []));
  return {
    kind: 'reply',
    rcode: (packet.flags ?? 0) & 0x0f,
    isAuthoritative: packet.flag_aa,
    isCaseKept,
    ednsBytes: opt?.udpPayloadSize,
    answers: (packet.answers ?? []).flatMap(recordOf),
    authorities: (packet.authorities ?? []).flatMap(recordOf),
    additionals: additionals.flatMap(recordOf),
  };
}

function recordOf(record: Answer): readonly DnsRecord[] {
  const data = dataOf(record);
  return data === undefined ? [] : [{ name: record.name.toLowerCase(), type: record.type, data }];
}

/** Undefined for what no check looks at. */
function dataOf(record: Answer): string | undefined {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return canonicalAddress(record.data);
    case 'NS':
    case 'CNAME':
      return record.data.toLowerCase();
    case 'SOA':
      return record.data.mname.toLowerCase();
    case 'CAA':
      return `${record.data.flags ?? 0} ${record.data.tag} "${record.data.value}"`;
    case 'TXT':
      return [record.data].flat().map(String).join('');
    default:
      return undefined;
  }
}

function mixCase(name: string, random: Random): string {
  return name.replaceAll(/[a-z]/gi, (letter) => (random.uniform() < 0.5 ? letter.toUpperCase() : letter.toLowerCase()));
}
