/** Reads an authorization at the CA, with what it wants to find for the kind of challenge that it is asked for. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Client, Order } from 'acme-client';
import type { Authorization, Challenge } from '../certificates/authority.ts';
import type { ChallengeKind } from '../certificates/challenge-kind.ts';
import { parseAuthorization } from './authorization-document.ts';
import type { AuthorizationDocument } from './authorization-document.ts';
import { challengeRecord } from './challenge-record.ts';

export interface AuthorizationWanted {
  readonly url: string;
  readonly kind: ChallengeKind;
  /** Known while a client of an open account is at hand. */
  readonly accountUrl: string | undefined;
}

export async function readAuthorization(client: Client, wanted: AuthorizationWanted): Promise<Authorization> {
  const { url, kind } = wanted;
  // acme-client wants a whole order where it reads one field.
  const order: Order = { url: '', status: 'pending', identifiers: [], authorizations: [url], finalize: '' };
  const [answer] = await client.getAuthorizations(order);
  const document = parseAuthorization(answer, kind);
  const { name, status, problem } = document;
  const challenge = await challengeOf(client, document, wanted);
  return { url, name, status, challengeKind: kind, ...(challenge && { challenge }), ...(problem && { problem }) };
}

async function challengeOf(
  client: Client,
  { name, isWildcard, challenge }: AuthorizationDocument,
  { kind, accountUrl }: AuthorizationWanted,
): Promise<Challenge | undefined> {
  if (challenge === undefined) return undefined;
  if (accountUrl === undefined) throw new LanyardError('internal', { message: 'an open account has no URL' });
  const { url, token, issuer } = challenge;
  // Of http-01 it is the key authorization itself; acme-client knows no draft's kind.
  const keyAuthorization = await client.getChallengeKeyAuthorization({
    type: 'http-01',
    status: 'pending',
    url,
    token,
  });
  return { url, record: challengeRecord(kind, { name, isWildcard, keyAuthorization, accountUrl, issuer }) };
}
