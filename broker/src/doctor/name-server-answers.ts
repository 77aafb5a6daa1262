/** Single answers of a name server, against what resolvers and CAs demand of them. */
import { areSame, listed, NAME_ERROR, NO_ERROR, recordsOf, said } from './ask-dns.ts';
import type { DnsOutcome, DnsReply } from './ask-dns.ts';
import { error, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

export interface AnsweringZone {
  /** Name and address of the server. */
  readonly whom: string;
  readonly apex: string;
  readonly nameServers: readonly string[];
}

export function judgeSoa(reply: DnsReply, { whom, apex }: AnsweringZone): Finding {
  const hasSoa = recordsOf(reply.answers, apex, 'SOA').length > 0;
  if (reply.rcode === NO_ERROR && reply.isAuthoritative && hasSoa) return ok('name-server', `${whom} serves ${apex}`);
  const fault = reply.rcode === NO_ERROR ? 'without its SOA or without authority (AA)' : `with ${said(reply)}`;
  return error('name-server', {
    what: `${whom} answers for ${apex} ${fault}: it does not serve the zone.`,
    why: 'Resolvers take such a server for a broken delegation, and orders fail.',
    mend: 'Something else answers at that address, such as another name server or a forwarder: find out what, and point `dns.listen`, firewall and glue at the broker.',
  });
}

export function judgeNameServers({ answers }: DnsReply, { whom, apex, nameServers }: AnsweringZone): Finding {
  const own = recordsOf(answers, apex, 'NS');
  if (areSame(own, nameServers)) return ok('ns-set', `${whom} names ${listed(own)}`);
  return error('ns-set', {
    what: `${whom} names ${listed(own)} as name servers, the settings ${listed(nameServers)}.`,
    why: 'Resolvers believe the zone’s own set once they have seen it, and then ask somebody else.',
    mend: 'Restart every broker after changing `zone.nameServers`, and end a name server that is out of date.',
  });
}

export function judgeNegative(reply: DnsReply, kind: 'missing' | 'empty', { whom, apex }: AnsweringZone): Finding {
  const wanted = kind === 'missing' ? NAME_ERROR : NO_ERROR;
  const about = kind === 'missing' ? 'a name that does not exist' : 'a type that a name does not have';
  const hasSoa = recordsOf(reply.authorities, apex, 'SOA').length > 0;
  const faults = [
    ...(reply.rcode === wanted && reply.answers.length === 0 ? [] : [`it says ${said(reply)}`]),
    ...(reply.isAuthoritative ? [] : ['AA is not set']),
    ...(hasSoa ? [] : ['the SOA is missing']),
  ];
  if (faults.length === 0) return ok('negative-answers', `${whom} answers rightly about ${about}`);
  return error('negative-answers', {
    what: `${whom} answers wrongly about ${about}: ${faults.join(', ')}.`,
    why: 'CAs look for CAA where there often is none, and a negative answer that is not sound fails the order (RFC 2308).',
    mend: 'Something between here and the broker changes its answers: take forwarders and DNS firewalls out of the way.',
  });
}

export function judgeTcp(outcome: DnsOutcome, { whom, apex }: AnsweringZone): Finding {
  if (outcome.kind === 'reply' && recordsOf(outcome.answers, apex, 'SOA').length > 0) {
    return ok('tcp', `${whom} answers over TCP`);
  }
  return error('tcp', {
    what: `${whom} does not answer over TCP (${said(outcome)}).`,
    why: 'What does not fit into a UDP packet is asked for over TCP, and some CAs ask so always.',
    mend: 'Let TCP port 53 in, in every firewall before the name server.',
  });
}

export function judgeEdns({ ednsBytes }: DnsReply, whom: string): Finding {
  if (ednsBytes !== undefined) return ok('edns', `${whom} speaks EDNS, ${ednsBytes} bytes`);
  return warning('edns', {
    what: `${whom} answers without EDNS (RFC 6891).`,
    why: 'Resolvers fall back to small packets or ask twice: slower, and some give up.',
    mend: 'The broker speaks EDNS: take the firewall or forwarder that strips it out of the way.',
  });
}

export function judgeCase({ isCaseKept }: DnsReply, whom: string): Finding {
  if (isCaseKept) return ok('case', `${whom} keeps the letter case of questions`);
  return error('case', {
    what: `${whom} does not repeat a question in the letter case in which it was asked.`,
    why: 'Let’s Encrypt mixes the case against forgery (0x20) and drops such answers.',
    mend: 'The broker keeps the case: take the forwarder or load balancer that changes it out of the way.',
  });
}
