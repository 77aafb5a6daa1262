/** What a resolver says, or the next one when it does not answer. */
import { NAME_ERROR, NO_ERROR } from './ask-dns.ts';
import type { AskDns, DnsReply, QuestionType } from './ask-dns.ts';

export interface LookUp {
  readonly name: string;
  readonly type: QuestionType;
  readonly resolvers: readonly string[];
}

/** Undefined when none could tell. */
export async function lookUp({ name, type, resolvers }: LookUp, ask: AskDns): Promise<DnsReply | undefined> {
  for (const server of resolvers) {
    const outcome = await ask({ server, name, type, isRecursive: true });
    if (outcome.kind === 'reply' && (outcome.rcode === NO_ERROR || outcome.rcode === NAME_ERROR)) return outcome;
  }
  return undefined;
}

export async function addressesOf(name: string, resolvers: readonly string[], ask: AskDns): Promise<readonly string[]> {
  const replies = await Promise.all((['A', 'AAAA'] as const).map((type) => lookUp({ name, type, resolvers }, ask)));
  // Whatever aliases led there.
  return replies
    .flatMap((reply) => reply?.answers ?? [])
    .flatMap(({ type, data }) => (type === 'A' || type === 'AAAA' ? [data] : []));
}
