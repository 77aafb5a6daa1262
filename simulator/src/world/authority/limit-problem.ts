/** What Boulder says when a limit is reached (ratelimits/limiter.go, errors/errors.go), word for word. */
import { Problem } from './problems.ts';
import type { LimitName, RateLimit } from './rate-limits.ts';

/** Pausing has words of its own: see `pausing.ts`. */
export type SpokenLimit = Exclude<LimitName, 'consecutiveFailures'>;

interface Wording {
  readonly what: (limit: RateLimit, subject: string) => string;
  readonly anchor: string;
}

const WORDING: Readonly<Record<SpokenLimit, Wording>> = {
  newAccountsPerAddress: {
    what: ({ burst }) => `too many new registrations (${burst}) from this IP address`,
    anchor: 'new-registrations-per-ip-address',
  },
  newAccountsPerRange: {
    what: ({ burst }) => `too many new registrations (${burst}) from this /48 subnet of IPv6 addresses`,
    anchor: 'new-registrations-per-ipv6-range',
  },
  newOrdersPerAccount: {
    what: ({ burst }) => `too many new orders (${burst}) from this account`,
    anchor: 'new-orders-per-account',
  },
  certificatesPerDomain: {
    what: ({ burst }, subject) => `too many certificates (${burst}) already issued for ${JSON.stringify(subject)}`,
    anchor: 'new-certificates-per-registered-domain',
  },
  certificatesPerSet: {
    what: ({ burst }) => `too many certificates (${burst}) already issued for this exact set of identifiers`,
    anchor: 'new-certificates-per-exact-set-of-hostnames',
  },
  failedAuthorizations: {
    what: ({ burst }, subject) => `too many failed authorizations (${burst}) for ${JSON.stringify(subject)}`,
    anchor: 'authorization-failures-per-hostname-per-account',
  },
};

export interface Excess {
  readonly name: SpokenLimit;
  readonly limit: RateLimit;
  /** The domain or name that the text mentions. */
  readonly subject: string;
  readonly retryAfterMs: number;
}

export function limitProblem(excess: Excess, nowMs: number): Problem {
  const { what, anchor } = WORDING[excess.name];
  const retryAt = formatInstant(nowMs + excess.retryAfterMs);
  const period = formatDuration(excess.limit.periodMs);
  return new Problem(
    'rateLimited',
    `${what(excess.limit, excess.subject)} in the last ${period}, retry after ${retryAt}: ` +
      `see https://letsencrypt.org/docs/rate-limits/#${anchor}`,
    { retryAfterSeconds: Math.ceil(excess.retryAfterMs / 1000) },
  );
}

/** Go's "2006-01-02 15:04:05 MST". */
function formatInstant(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Go's time.Duration in whole seconds: 3h0m0s. */
function formatDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  if (hours > 0) return `${hours}h${minutes % 60}m${seconds % 60}s`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
