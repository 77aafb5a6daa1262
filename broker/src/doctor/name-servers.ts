/** Does every name server answer, at each of its addresses, as resolvers and CAs demand? */
import { isIPv6 } from 'node:net';
import { randomHex } from '@lanyard/sdk/kernel';
import type { Random } from '@lanyard/sdk/kernel';
import { said } from './ask-dns.ts';
import type { AskDns, DnsOutcome, DnsReply } from './ask-dns.ts';
import { judgeCaa } from './caa.ts';
import type { ExpectedCaa } from './caa.ts';
import type { DelegationSubject } from './delegation.ts';
import { error, ok, skipped } from './finding.ts';
import type { Finding } from './finding.ts';
import { addressesOf } from './look-up.ts';
import { judgeCase, judgeEdns, judgeNameServers, judgeNegative, judgeSoa, judgeTcp } from './name-server-answers.ts';
import { isPublic } from './public-address.ts';

export interface NameServersSubject extends DelegationSubject {
  readonly expectedCaa: ExpectedCaa;
}

export interface NameServersWorld {
  readonly ask: AskDns;
  readonly random: Random;
}

export async function examineNameServers(
  subject: NameServersSubject,
  world: NameServersWorld,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    subject.nameServers.map(async ({ name, addresses }) => {
      const found = addresses.length > 0 ? addresses : await addressesOf(name, subject.resolvers, world.ask);
      if (found.length === 0) return [error('name-server', unknownAddress(name))];
      return (await Promise.all(found.map((address) => examineOne(name, address, subject, world)))).flat();
    }),
  );
  return findings.flat();
}

async function examineOne(
  name: string,
  address: string,
  subject: NameServersSubject,
  { ask, random }: NameServersWorld,
): Promise<readonly Finding[]> {
  const { apex, nameServers, expectedCaa } = subject;
  const whom = `${name} (${address})`;
  const reach = judgeAddress(whom, address);
  const server = address;
  const first = await ask({ server, name: apex, type: 'SOA' });
  if (first.kind === 'silence') return [reach, silent(whom, address, first)];
  // A name that nobody can have, since no two doctors throw the same.
  const missing = `_lanyard-doctor-${randomHex(random, 8)}.${apex}`;
  const [names, absent, empty, tcp, caa] = await Promise.all([
    ask({ server, name: apex, type: 'NS' }),
    ask({ server, name: missing, type: 'A' }),
    ask({ server, name: apex, type: 'MX' }),
    ask({ server, name: apex, type: 'SOA', byTcp: true }),
    ask({ server, name: apex, type: 'CAA' }),
  ]);
  const zone = { whom, apex, nameServers: nameServers.map((one) => one.name) };
  return [
    reach,
    judgeSoa(first, zone),
    answered(names, whom, 'ns-set', (reply) => judgeNameServers(reply, zone)),
    answered(absent, whom, 'negative-answers', (reply) => judgeNegative(reply, 'missing', zone)),
    answered(empty, whom, 'negative-answers', (reply) => judgeNegative(reply, 'empty', zone)),
    judgeTcp(tcp, zone),
    judgeEdns(first, whom),
    judgeCase(first, whom),
    answered(caa, whom, 'caa', (reply) => judgeCaa(reply, { whom, apex, expected: expectedCaa })),
  ];
}

/** A server that answers one question and is silent at another is at fault, too. */
function answered(outcome: DnsOutcome, whom: string, check: string, judge: (reply: DnsReply) => Finding): Finding {
  if (outcome.kind === 'reply') return judge(outcome);
  return error(check, {
    what: `${whom} answered one question and not another (${said(outcome)}).`,
    why: 'A CA gives up after a few tries, and the order fails.',
    mend: 'Look for a firewall or rate limit between here and the name server, then run the doctor again.',
  });
}

function judgeAddress(whom: string, address: string): Finding {
  if (isPublic(address)) return ok('name-server-address', `${whom} can be reached by its address from everywhere`);
  return error('name-server-address', {
    what: `The address of ${whom} is none of the public Internet.`,
    why: 'The CA asks from outside and never gets there, so that every order fails.',
    mend: 'Give the name server a public address in `zone.nameServers` and at the parent.',
  });
}

function silent(whom: string, address: string, outcome: Extract<DnsOutcome, { kind: 'silence' }>): Finding {
  // IPv6 is often missing where an operator sits; that says nothing about the server.
  if (outcome.isUnroutable && isIPv6(address)) {
    return skipped('name-server', `${whom} was not asked: this machine has no IPv6 (${outcome.reason})`);
  }
  return error('name-server', {
    what: `${whom} does not answer over UDP (${outcome.reason}).`,
    why: 'Names do not resolve, and the CA cannot verify them.',
    mend: 'Check that `lanyard serve` runs, that `dns.listen` has the address, and that firewalls let port 53 in, UDP and TCP.',
  });
}

function unknownAddress(name: string): Parameters<typeof error>[1] {
  return {
    what: `The name server ${name} has no address: neither in the settings nor in the DNS.`,
    why: 'Nobody can ask it.',
    mend: `Make an address record for ${name} where its zone is kept, or name its addresses in \`zone.nameServers\`.`,
  };
}
