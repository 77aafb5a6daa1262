/** The numbers of the DNS wire format that this server knows. */

/** RFC 1035 §3.2.2, RFC 3596, RFC 8659 §4.1.1, RFC 6891 §6.1.2. */
export const TYPE = {
  A: 1,
  NS: 2,
  SOA: 6,
  TXT: 16,
  AAAA: 28,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export const CLASS_IN = 1;

/** RFC 1035 §4.1.1; BADVERS (RFC 6891 §9) and BADCOOKIE (RFC 7873 §8) need the OPT record for their upper bits. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const;

export type Rcode = (typeof RCODE)[keyof typeof RCODE];

export const OPCODE_QUERY = 0;

/** RFC 1996 §3.1. */
export const OPCODE_NOTIFY = 4;

/** RFC 7873 §4. */
export const OPTION_COOKIE = 10;

/** RFC 1035 §4.1.1: id, flags and four counts. */
export const HEADER_BYTES = 12;

/** RFC 1035 §2.3.4: a name on the wire, length bytes and root label included. */
export const MAX_NAME_BYTES = 255;

/** RFC 1035 §2.3.4. The two upper bits of a length byte mean something else. */
export const MAX_LABEL_BYTES = 63;

/** RFC 1035 §4.1.4: a length byte with both upper bits set starts a pointer. */
export const POINTER_BITS = 0xc0;

/** RFC 1035 §4.2.1: what a client without EDNS can take over UDP. */
export const PLAIN_UDP_BYTES = 512;

/** DNS flag day 2020: the largest answer that crosses the Internet unfragmented (IPv6 minimum 1280 less headers). */
export const EDNS_UDP_BYTES = 1232;

/** RFC 1035 §4.2.2: the length prefix has two bytes. */
export const TCP_BYTES = 65_535;

/** How a message came and how its answer goes. */
export type Transport = 'udp' | 'tcp';
