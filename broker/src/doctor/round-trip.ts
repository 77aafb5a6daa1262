/** A record that the broker publishes now: does every name server show it, and every resolver find it? */
import { sleep } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { listed, recordsOf, said } from './ask-dns.ts';
import type { AskDns, DnsOutcome } from './ask-dns.ts';
import type { DelegationSubject } from './delegation.ts';
import { error, ok } from './finding.ts';
import type { Finding } from './finding.ts';
import { addressesOf } from './look-up.ts';

export interface Probe {
  readonly name: string;
  readonly value: string;
}

export interface RoundTripWorld {
  readonly ask: AskDns;
  readonly clock: Clock;
}

/** A secondary that was notified (RFC 1996) has fetched the zone within seconds. */
const TRIES = 3;
const PAUSE_MS = 2_000;

export async function examineRoundTrip(
  probe: Probe,
  { nameServers, resolvers }: DelegationSubject,
  world: RoundTripWorld,
): Promise<readonly Finding[]> {
  const servers = nameServers.map(async ({ name, addresses }) => {
    const found = addresses.length > 0 ? addresses : await addressesOf(name, resolvers, world.ask);
    return await Promise.all(found.map((server) => askServer(probe, server, world)));
  });
  const shown = (await Promise.all(servers)).flat();
  // Only now: what a resolver did not find once it remembers as missing.
  return [...shown, ...(await Promise.all(resolvers.map((resolver) => askResolver(probe, resolver, world.ask))))];
}

async function askServer(probe: Probe, server: string, { ask, clock }: RoundTripWorld): Promise<Finding> {
  let outcome = await ask({ server, name: probe.name, type: 'TXT' });
  for (let tries = 1; tries < TRIES && outcome.kind === 'reply' && !hasArrived(outcome, probe); tries++) {
    await sleep(clock, PAUSE_MS);
    outcome = await ask({ server, name: probe.name, type: 'TXT' });
  }
  if (hasArrived(outcome, probe)) return ok('round-trip', `${server} shows a record that was published just now`);
  return error('round-trip', {
    what: `${server} does not show a record that the broker published just now (${said(outcome)}).`,
    why: 'What proves a name to the CA travels in the same way: the CA would not find it.',
    mend: 'Check that this address belongs to this broker or a secondary that it notifies, and not to another name server.',
  });
}

function hasArrived(outcome: DnsOutcome, { name, value }: Probe): boolean {
  return outcome.kind === 'reply' && recordsOf(outcome.answers, name, 'TXT').includes(value);
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
