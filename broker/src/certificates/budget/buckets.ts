/** Which buckets of a CA account something counts in, by name. */
import type { Bucket } from './bucket.ts';
import type { LimitName } from './rate-limit.ts';

/** What limits count by, of one order. */
export interface Counted {
  readonly names: readonly string[];
  /** The registered domain of each name; several names may share one. */
  readonly registeredDomains: readonly string[];
}

/** Full when it is past: the account may be used. */
export function pauseOf(authority: string): Bucket {
  return { authority, limit: 'pause', subject: '' };
}

export function newOrdersBucket(authority: string): Bucket {
  return { authority, limit: 'new-orders', subject: '' };
}

export function domainBucket(authority: string, registeredDomain: string): Bucket {
  return { authority, limit: 'registered-domain', subject: registeredDomain };
}

/** The same for the same names, in whatever order they are listed. */
export function exactSetBucket(authority: string, names: readonly string[]): Bucket {
  return { authority, limit: 'exact-set', subject: [...new Set(names)].toSorted().join(',') };
}

/** A wildcard is a name of its own, as in Boulder. */
export function nameBucket(
  authority: string,
  limit: 'failed-authorizations' | 'consecutive-failures',
  name: string,
): Bucket {
  return { authority, limit, subject: name };
}

/** Every bucket of one limit that an order counts in. */
export function bucketsOf(
  authority: string,
  limit: LimitName,
  { names, registeredDomains }: Counted,
): readonly Bucket[] {
  switch (limit) {
    case 'new-orders':
      return [newOrdersBucket(authority)];
    case 'registered-domain':
      return [...new Set(registeredDomains)].map((domain) => domainBucket(authority, domain));
    case 'exact-set':
      return [exactSetBucket(authority, names)];
    case 'failed-authorizations':
    case 'consecutive-failures':
      return [...new Set(names)].map((name) => nameBucket(authority, limit, name));
  }
}
