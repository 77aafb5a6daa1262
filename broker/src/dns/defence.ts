/** What the DNS thread does against forged senders: a limit on answers, and cookies for those who are who they say. */
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import { ServerCookies } from './cookie.ts';
import { RateLimiter, type RateLimitSettings } from './rate-limit.ts';
import { SuppressionLog } from './suppression-log.ts';

/** Goes to the thread, so it is data only. */
export interface DefenceSettings {
  readonly rateLimit: RateLimitSettings;
  /** For the hash of the rate limit: 32 unpredictable bits. */
  readonly seed: number;
  /** The first makes cookies, all of them are taken. */
  readonly cookieSecrets: readonly Uint8Array[];
}

export interface Defence {
  readonly cookies: ServerCookies;
  /** Undefined: there is no limit. */
  readonly limiter: RateLimiter | undefined;
  readonly suppressed: SuppressionLog;
}

/** @throws LanyardError `config-invalid` for an exemption that is no address. */
export function createDefence(
  { rateLimit, seed, cookieSecrets }: DefenceSettings,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Defence {
  return {
    cookies: new ServerCookies({ secrets: cookieSecrets, clock }),
    limiter: rateLimit.perSecond === 0 ? undefined : new RateLimiter({ settings: rateLimit, clock, seed }),
    suppressed: new SuppressionLog({ clock, log }),
  };
}
