/** Can every CA of the settings be reached, does it offer what the settings want, and does it know the account? */
import { z } from 'zod';
import type { AskHttp, HttpAnswer, Silence } from './ask-http.ts';
import { error, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

export interface AuthoritySubject {
  readonly directoryUrl: string;
  readonly profile: string | undefined;
  readonly rootsPem: string | undefined;
  /** The stored account and what the CA says of it. */
  readonly account: () => Promise<AccountState>;
}

export type AccountState =
  | { readonly kind: 'known'; readonly url: string; readonly status: string }
  /** None was made yet. */
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface AskedAuthority {
  readonly findings: readonly Finding[];
  /** How far our clock is ahead of its own. */
  readonly aheadMs: number | undefined;
  /** What it calls itself in CAA records. */
  readonly identities: readonly string[];
}

/** RFC 8555 §7.1.1, and draft-ietf-acme-profiles. */
const directory = z.object({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  meta: z
    .object({
      caaIdentities: z.array(z.string()).default([]),
      profiles: z.record(z.string(), z.unknown()).default({}),
    })
    .prefault({}),
});

export async function examineAuthority(subject: AuthoritySubject, ask: AskHttp): Promise<AskedAuthority> {
  const { directoryUrl: url, rootsPem } = subject;
  const answer = await ask({ url, ...(rootsPem !== undefined && { rootsPem }) });
  const read = answer.kind === 'answer' && answer.status === 200 ? directory.safeParse(answer.document) : undefined;
  if (!read?.success) return { findings: [unusable(url, answer)], aheadMs: aheadOf(answer), identities: [] };
  const { caaIdentities, profiles } = read.data.meta;
  const findings = [
    ok('ca-directory', `${url} answers`),
    ...judgeProfile(subject, Object.keys(profiles)),
    judgeAccount(url, await subject.account()),
  ];
  return { findings, aheadMs: aheadOf(answer), identities: caaIdentities.map((identity) => identity.toLowerCase()) };
}

function aheadOf(answer: HttpAnswer | Silence): number | undefined {
  return answer.kind === 'answer' ? answer.aheadMs : undefined;
}

function unusable(url: string, answer: HttpAnswer | Silence): Finding {
  const fault = answer.kind === 'silence' ? answer.reason : `status ${answer.status}, not the directory of an ACME CA`;
  return error('ca-directory', {
    what: `${url} cannot be used: ${fault}.`,
    why: 'Without the CA there are no certificates, first ones or renewals.',
    mend: 'Check the URL, this machine’s way to the Internet, `acme.roots` for a private CA, and the CA’s status page.',
  });
}

function judgeProfile({ directoryUrl, profile }: AuthoritySubject, offered: readonly string[]): readonly Finding[] {
  if (profile === undefined) return [];
  if (offered.includes(profile)) return [ok('ca-profile', `${directoryUrl} offers the profile ${profile}`)];
  const choice = offered.length === 0 ? 'none' : offered.join(', ');
  return [
    error('ca-profile', {
      what: `${directoryUrl} does not offer the profile ${profile}; it offers ${choice}.`,
      why: 'The CA refuses every order for a profile that it does not have.',
      mend: 'Choose one of them as `acme.profile`, or leave it out for the CA’s default.',
    }),
  ];
}

function judgeAccount(url: string, state: AccountState): Finding {
  if (state.kind === 'known' && state.status === 'valid') return ok('account', `${state.url} is valid`);
  if (state.kind === 'none') {
    return warning('account', {
      what: `There is no account at ${url} yet (${state.reason}).`,
      why: 'The broker makes one when it starts, and orders nothing before.',
      mend: 'Start the broker, or bring an account with `lanyard account import`.',
    });
  }
  const fault = state.kind === 'known' ? `${state.url} is ${state.status}` : state.reason;
  return error('account', {
    what: `The account at ${url} cannot be used: ${fault}.`,
    why: 'The CA takes orders from a valid account only.',
    mend: 'Look at it with `lanyard account show`; with its file moved away the broker makes a new one.',
  });
}
