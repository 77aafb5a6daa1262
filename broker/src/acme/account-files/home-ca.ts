/** Which CA a found account belongs to, by its directory's name and by its URL. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { parseCaUrl } from '../ca-url.ts';

export interface Claim {
  readonly directory: string;
  /** The CA that is configured. */
  readonly directoryUrl: string;
  /** The CA that the directory is named after; undefined when the name says none. */
  readonly namedAfter: string | undefined;
  readonly isNamedAfterIt: boolean;
  /** As the file has it. */
  readonly url: unknown;
}

/**
 * The account's URL, if it can be taken as it is. Clients carried accounts over from older directories of the same CA
 * by links, so that one of the two signs is enough; the URL of an older directory's host is not the present one.
 * @throws LanyardError `account-unusable` when both point elsewhere.
 */
export function urlAtHome(claim: Claim): string | undefined {
  const { directory, directoryUrl, isNamedAfterIt, namedAfter } = claim;
  const url = parseCaUrl(claim.url);
  const isAtHome = url !== undefined && new URL(url).host === new URL(directoryUrl).host;
  if (isAtHome) return url;
  if (isNamedAfterIt) return undefined;
  const other = namedAfter ?? url;
  const message =
    other === undefined
      ? `${directory} does not say which CA it belongs to: keep the name that its client gave it`
      : `${directory} belongs to ${other}, and acme.directory is ${directoryUrl}`;
  throw new LanyardError('account-unusable', { message });
}
