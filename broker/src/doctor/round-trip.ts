/** A record that the broker publishes now: does every name server show it, and every resolver find it? */
import { listed, recordsOf, said } from './ask-dns.ts';
import type { AskDns } from './ask-dns.ts';
import type { DelegationSubject } from './delegation.ts';
import { error, ok } from './finding.ts';
import type { Finding } from './finding.ts';
import { addressesOf } from './look-up.ts';

export interface Probe {
  readonly name: string;
  readonly value: string;
}

export async function examineRoundTrip(
  probe: Probe,
  { nameServers, resolvers }: DelegationSubject,
  ask: AskDns,
): Promise<readonly Finding[]> {
  const servers = nameServers.map(async ({ name, addresses }) => {
    const found = addresses.length > 0 ? addresses : await addressesOf(name, resolvers, ask);
    return await Promise.all(found.map((server) => askServer(probe, server, ask)));
  });
  const found = resolvers.map((resolver) => askResolver(probe, resolver, ask));
  return [...(await Promise.all(servers)).flat(), ...(await Promise.all(found))];
}

async function askServer(probe: Probe, server: string, ask: AskDns): Promise<Finding> {
  const outcome = await ask({ server, name: probe.name, type: 'TXT' });
  if (outcome.kind === 'reply' && recordsOf(outcome.answers, probe.name, 'TXT').includes(probe.value)) {
    return ok('round-trip', `${server} shows a record that was published just now`);
  }
  return error('round-trip', {
    what: `${server} does not show a record that the broker published just now (${said(outcome)}).`,
    why: 'What proves a name to the CA travels in the same way: the CA would not find it.',
    mend: 'Check that this address belongs to this broker, and not to a copy or to another name server.',
  });
}

async function askResolver(probe: Probe, resolver: string, ask: AskDns): Promise<Finding> {
  const outcome = await ask({ server: resolver, name: probe.name, type: 'TXT', isRecursive: true });
  const values = outcome.kind === 'reply' ? recordsOf(outcome.answers, probe.name, 'TXT') : [];
  if (values.includes(probe.value)) return ok('resolver', `${resolver} finds a record that was published just now`);
  return error('resolver', {
    what: `The resolver ${resolver} does not find a record that the broker published just now (${values.length > 0 ? listed(values) : said(outcome)}).`,
    why: 'The CA and every visitor look names up as it does.',
    mend: 'Mend what is said of delegation and name servers; if nothing is, try another with --resolver: this one may be at fault.',
  });
}
