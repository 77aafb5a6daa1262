/** Does CAA say what the settings say: nobody may issue but our CAs, to our accounts? */
import { areSame, listed, recordsOf } from './ask-dns.ts';
import type { AskDns, DnsReply } from './ask-dns.ts';
import { error, ok, skipped, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import { lookUp } from './look-up.ts';

export type ExpectedCaa =
  /** By `acme.caaIdentity` and the accounts; none: no account is known yet. */
  | { readonly kind: 'pinned'; readonly records: readonly string[] }
  /** No `acme.caaIdentity`. */
  | { readonly kind: 'open' };

export interface CaaView {
  readonly whom: string;
  readonly apex: string;
  readonly expected: ExpectedCaa;
}

export function judgeCaa({ answers }: DnsReply, { whom, apex, expected }: CaaView): Finding {
  const shown = recordsOf(answers, apex, 'CAA');
  if (expected.kind === 'open') {
    if (shown.length === 0) return ok('caa', `${whom} has no CAA at ${apex}, as the settings say`);
    return warning('caa', {
      what: `${whom} has CAA at ${apex}, ${listed(shown)}, but \`acme.caaIdentity\` is not set.`,
      why: 'It stays from former settings, and forbids every CA that it does not name.',
      mend: 'Set `acme.caaIdentity` for every CA, so that the records follow the settings.',
    });
  }
  if (expected.records.length === 0) {
    return skipped('caa', `CAA at ${whom} was not compared: no account at a CA is known yet`);
  }
  if (areSame(shown, expected.records)) return ok('caa', `${whom} lets only our CAs and accounts issue`);
  return error('caa', {
    what: `CAA at ${whom} is ${listed(shown)}; by settings and accounts it is ${listed(expected.records)}.`,
    why: 'A CA or account that the records leave out issues nothing; one too many could issue for others.',
    mend: 'Restart the broker: it publishes CAA when it starts, as soon as the CA has answered.',
  });
}

export interface InheritedCaa {
  readonly apex: string;
  readonly resolvers: readonly string[];
  /** What the CAs call themselves, by their directories (RFC 8555 §7.1.1); empty: they do not say. */
  readonly identities: readonly string[];
}

/** Where the apex has none, the closest zone above that has some counts (RFC 8659 §3). */
export async function examineInheritedCaa(
  { apex, resolvers, identities }: InheritedCaa,
  ask: AskDns,
): Promise<readonly Finding[]> {
  const labels = apex.split('.');
  for (let skip = 1; skip < labels.length; skip++) {
    const name = labels.slice(skip).join('.');
    const reply = await lookUp({ name, type: 'CAA', resolvers }, ask);
    if (reply === undefined) return [unheard(name)];
    const issuers = recordsOf(reply.answers, name, 'CAA').flatMap(issuerOf);
    if (issuers.length > 0) return [judgeInherited(name, issuers, identities)];
  }
  return [ok('caa', `no CAA above ${apex} forbids anything`)];
}

/** RFC 8659 §3: a CA that gets no answer may not issue. */
function unheard(name: string): Finding {
  return warning('caa', {
    what: `CAA at ${name} could not be looked up.`,
    why: 'A CA that gets no answer either issues nothing for the names below.',
    mend: 'Name another resolver with --resolver; if that gets none, ask whoever runs that zone.',
  });
}

/** Of `0 issue "ca.example; …"` the `ca.example`; `;` alone allows nobody. */
function issuerOf(record: string): readonly string[] {
  const [, value] = /^\d+ issue "([^"]*)"$/.exec(record) ?? [];
  return value === undefined ? [] : [value.split(';')[0]?.trim().toLowerCase() ?? ''];
}

function judgeInherited(zone: string, issuers: readonly string[], identities: readonly string[]): Finding {
  const allowed = listed(issuers.filter((issuer) => issuer !== ''));
  if (issuers.some((issuer) => identities.includes(issuer))) return ok('caa', `CAA at ${zone} allows ${allowed}`);
  const isKnown = identities.length > 0;
  const fault = {
    what: `CAA at ${zone} allows ${allowed}, and ${isKnown ? `the CA is ${listed(identities)}` : 'the CA does not say what it is called'}.`,
    why: 'Where the zone has no CAA of its own, that of the zone above counts.',
    mend: 'Set `acme.caaIdentity`, so that the zone has CAA of its own, or let the zone above allow the CA.',
  };
  return isKnown ? error('caa', fault) : warning('caa', fault);
}
