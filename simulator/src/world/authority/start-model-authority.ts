/** Starts the model CA behind its HTTPS door, looking at a given name server: the wiring of this folder. */
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import type { AuthorityControls } from './authority-controls.ts';
import type { AuthorityEvent } from './authority-event.ts';
import type { AuthorityStatistics } from './counters.ts';
import { DnsResolver } from './dns-resolver.ts';
import { createDoorCertificate } from './door-certificate.ts';
import type { AuthorityRequest, AuthorityResponse } from './exchange.ts';
import { HttpsDoor } from './https-door.ts';
import { createHierarchy, type Hierarchy } from './issuer.ts';
import type { BucketLevel } from './limiter.ts';
import { ModelAuthority } from './model-authority.ts';
import { BOULDER_POLICY, type AuthorityPolicy } from './policy.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Resolver } from './resolver.ts';

export interface ModelAuthorityStart {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A name server, or something else that answers for every vantage point. */
  readonly resolver: NameServer | Resolver;
  readonly policy?: Partial<AuthorityPolicy>;
  /** None when left out. */
  readonly limits?: RateLimits;
  /** Which domain a name counts for; its last two labels when left out. */
  readonly registeredDomain?: (name: string) => string;
  readonly onEvent?: (event: AuthorityEvent) => void;
  /** Root and intermediates to go on with; new ones when left out. */
  readonly hierarchy?: Hierarchy;
  readonly host?: string;
  /** Any free one when left out. */
  readonly port?: number;
}

export interface NameServer {
  readonly host: string;
  readonly port: number;
  /** What is delegated to it; see `DnsResolverOptions`. */
  readonly zones?: readonly string[];
}

export interface RunningModelAuthority {
  readonly directoryUrl: string;
  /** The root of the door's own certificate: what an ACME client has to trust. */
  readonly tlsRootPem: string;
  /** The root of what is issued: what a browser has to trust. */
  readonly rootPem: string;
  /** Faults, limits and mass revocation, while it runs. */
  readonly controls: AuthorityControls;
  statistics(): AuthorityStatistics;
  bucketLevels(): readonly BucketLevel[];
  /** A request without a socket. */
  handle(request: AuthorityRequest): Promise<AuthorityResponse>;
  stop(): Promise<void>;
}

export async function startModelAuthority(options: ModelAuthorityStart): Promise<RunningModelAuthority> {
  const { clock, random, log, host = '127.0.0.1', port = 0 } = options;
  const policy = { ...BOULDER_POLICY, ...options.policy };
  const hierarchy = options.hierarchy ?? createHierarchy({ clock, random });
  const certificate = createDoorCertificate(host, random);
  const door = new HttpsDoor({ log, certificate, host, port });
  const baseUrl = `https://${host}:${await door.start()}`;
  const perspectives = lookFromEverywhere(options, policy.remotePerspectives);
  const { limits, registeredDomain, onEvent } = options;
  const parts = { clock, random, log, policy, hierarchy, perspectives, baseUrl };
  const core = new ModelAuthority({ ...parts, limits, registeredDomain, onEvent });
  door.attach((request) => core.handle(request));
  return {
    directoryUrl: core.directoryUrl,
    tlsRootPem: certificate.rootPem,
    rootPem: hierarchy.rootPem,
    controls: core.controls,
    statistics: () => core.statistics(),
    bucketLevels: () => core.bucketLevels(),
    handle: (request) => core.handle(request),
    async stop() {
      await door.stop();
      await core.stop();
    },
  };
}

/** Each vantage point asks for itself: one that shared an answer would see nothing that another does not. */
function lookFromEverywhere(options: ModelAuthorityStart, remotes: number): readonly [Resolver, ...Resolver[]] {
  const look = (): Resolver => {
    const { clock, random, resolver } = options;
    if ('txt' in resolver) return resolver;
    const { host, port, zones } = resolver;
    return new DnsResolver({ clock, random, server: { host, port }, ...(zones === undefined ? {} : { zones }) });
  };
  return [look(), ...Array.from({ length: remotes }, look)];
}
