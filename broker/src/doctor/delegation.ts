/** Does the parent zone lead the world to our name servers? Asked of the parent's own servers. */
import { areSame, listed, NO_ERROR, recordsOf } from './ask-dns.ts';
import type { AskDns, DnsReply } from './ask-dns.ts';
import { error, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import { lookUp } from './look-up.ts';
import { canonicalAddress } from './public-address.ts';

export interface NameServer {
  readonly name: string;
  readonly addresses: readonly string[];
}

export interface DelegationSubject {
  readonly apex: string;
  readonly nameServers: readonly NameServer[];
  readonly resolvers: readonly string[];
}

/** A zone has two or more; the rest say the same. */
const MOST_PARENT_SERVERS = 4;

export async function examineDelegation(subject: DelegationSubject, ask: AskDns): Promise<readonly Finding[]> {
  const parent = await findParent(subject, ask);
  if (parent.length === 0) return [error('delegation', noParent(subject))];
  const asked = await Promise.all(parent.map((server) => ask({ server, name: subject.apex, type: 'NS' })));
  const replies = asked.filter((outcome) => outcome.kind === 'reply').filter(isUsable);
  if (replies.length === 0) return [error('delegation', parentSilent(parent, subject.apex))];
  const sets = replies.map((reply) => nameServersIn(reply, subject.apex));
  const split = sets.some((set) => !areSame(set, sets[0] ?? [])) ? [warning('delegation', disagreement(sets))] : [];
  return [...split, judgeNames(sets.flat(), subject), ...judgeGlue(replies, subject)];
}

/** The addresses of the name servers of the closest zone above. */
async function findParent({ apex, resolvers }: DelegationSubject, ask: AskDns): Promise<readonly string[]> {
  const labels = apex.split('.');
  for (let skipped = 1; skipped < labels.length; skipped++) {
    const zone = labels.slice(skipped).join('.');
    const reply = await lookUp({ name: zone, type: 'NS', resolvers }, ask);
    if (reply === undefined) return [];
    const names = recordsOf(reply.answers, zone, 'NS').slice(0, MOST_PARENT_SERVERS);
    if (names.length === 0) continue;
    const addresses = await Promise.all(names.map((name) => lookUp({ name, type: 'A', resolvers }, ask)));
    return addresses.flatMap((found, index) => recordsOf(found?.answers ?? [], names[index] ?? '', 'A').slice(0, 1));
  }
  return [];
}

/** NXDOMAIN is an answer: there is no delegation. REFUSED and SERVFAIL say nothing. */
function isUsable({ rcode }: DnsReply): boolean {
  return rcode === NO_ERROR || rcode === 3;
}

/** In the authority section of a referral, or in the answer of a server that has both zones. */
function nameServersIn({ answers, authorities }: DnsReply, apex: string): readonly string[] {
  return recordsOf([...answers, ...authorities], apex, 'NS');
}

function judgeNames(atParent: readonly string[], { apex, nameServers }: DelegationSubject): Finding {
  const wanted = nameServers.map(({ name }) => name);
  if (areSame(atParent, wanted)) return ok('delegation', `the parent delegates ${apex} to ${listed(wanted)}`);
  if (atParent.length === 0) {
    return error('delegation', {
      what: `The parent zone does not delegate ${apex}.`,
      why: 'Nobody finds our name server: names do not resolve, and every order fails.',
      mend: `Put NS records for ${apex} into the parent zone: ${listed(wanted)}.`,
    });
  }
  return error('delegation', {
    what: `The parent names ${listed(atParent)} as name servers of ${apex}, the settings ${listed(wanted)}.`,
    why: 'Resolvers and the CA ask those that the parent names; some of their questions go to the wrong place.',
    mend: 'Make the NS set at the parent and `zone.nameServers` the same.',
  });
}

/** Only a name inside the zone needs glue: one could not ask for its address without having it. */
function judgeGlue(replies: readonly DnsReply[], { apex, nameServers }: DelegationSubject): readonly Finding[] {
  return nameServers
    .filter(({ name }) => name.endsWith(`.${apex}`))
    .map(({ name, addresses }) => {
      const wanted = addresses.map(canonicalAddress);
      const differing = replies
        .map(({ answers, additionals }) => glueOf([...answers, ...additionals], name))
        .find((glue) => !areSame(glue, wanted));
      if (differing === undefined) return ok('glue', `the parent has ${listed(wanted)} for ${name}`);
      return error('glue', {
        what: `The parent’s addresses for ${name} are ${listed(differing)}, the settings have ${listed(wanted)}.`,
        why: `${name} lies in the zone itself, so that only the parent can say where it is.`,
        mend: `Put address records (glue) for ${name} into the parent zone: ${listed(wanted)}.`,
      });
    });
}

function glueOf(records: DnsReply['additionals'], name: string): readonly string[] {
  return [...recordsOf(records, name, 'A'), ...recordsOf(records, name, 'AAAA')];
}

function noParent({ apex, resolvers }: DelegationSubject): Parameters<typeof error>[1] {
  return {
    what: `No name server of the zone above ${apex} could be found through ${listed(resolvers)}.`,
    why: 'Without a parent zone nobody finds the zone; or the resolvers cannot be reached from here.',
    mend: 'Check that the parent domain is registered, or name another resolver with --resolver.',
  };
}

function parentSilent(parent: readonly string[], apex: string): Parameters<typeof error>[1] {
  return {
    what: `The parent’s name servers (${listed(parent)}) do not answer for ${apex}.`,
    why: 'Whoever looks for a name of an appliance has to ask them first.',
    mend: 'Ask whoever runs the parent zone, and check that this machine may send DNS to the Internet.',
  };
}

function disagreement(sets: readonly (readonly string[])[]): Parameters<typeof warning>[1] {
  const all = [...new Set(sets.map(listed))].map((set) => `[${set}]`).join(' and ');
  return {
    what: `The parent’s name servers do not agree: ${all}.`,
    why: 'Some resolvers go to the wrong place, others do not: faults that come and go.',
    mend: 'If the delegation was changed just now, wait an hour; else ask whoever runs the parent zone.',
  };
}
