/** The model CA inside a simulation: its rules on virtual time, its answers by the chosen door, its deeds as facts. */
import { readIssuedChain } from '@lanyard/broker/virtual';
import type { Authority, AuthorityTerms } from '@lanyard/broker/virtual';
import { silentLogger } from '@lanyard/sdk/kernel';
import type { Clock, Random, Runnable } from '@lanyard/sdk/kernel';
import type { BucketLevel } from '../../report/fact.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { takenFor } from '../../world/authority/authority-event.ts';
import type { AuthorityEvent } from '../../world/authority/authority-event.ts';
import { createHierarchy } from '../../world/authority/issuer.ts';
import { ModelAuthority } from '../../world/authority/model-authority.ts';
import { BOULDER_POLICY } from '../../world/authority/policy.ts';
import type { AuthorityPolicy } from '../../world/authority/policy.ts';
import { LETSENCRYPT_CALENDAR, STAGING_CALENDAR } from '../../world/authority/profiles.ts';
import {
  LETSENCRYPT,
  LETSENCRYPT_OVERRIDE,
  LETSENCRYPT_STAGING,
  NO_LIMITS,
} from '../../world/authority/rate-limits.ts';
import type { RateLimits } from '../../world/authority/rate-limits.ts';
import type { Resolver } from '../../world/authority/resolver.ts';
import type { AuthorityDeed, Witness } from '../../world/happening.ts';
import { acmeAuthority } from './acme-door.ts';
import { brokerTerms } from './broker-terms.ts';
import type { Crypto } from './crypto.ts';
import { DirectAuthority } from './direct-authority.ts';

export interface VirtualAuthorityParts {
  /** Its place among the CAs of this world, from 0. */
  readonly ca: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly wishes: Scenario['authority'];
  /** The vantage points, the primary one first. */
  readonly perspectives: readonly [Resolver, ...Resolver[]];
  /** Without a maker certificates are real. */
  readonly crypto: Pick<Crypto, 'door' | 'maker' | 'authorityKey' | 'accountKeyPem' | 'readChain'>;
  /** The number of the appliance that a name belongs to. */
  readonly applianceOf: (name: string) => number | undefined;
  readonly tell: Witness;
}

/** Where the broker's requests come from (RFC 5737). */
const BROKER_ADDRESS = '192.0.2.10';
const DOMAIN = 'lanyard.test';

export class VirtualAuthority {
  readonly model: ModelAuthority;
  /** What the broker holds. */
  readonly authority: Authority & Partial<Runnable>;
  /** What the broker is told of its limits. */
  readonly terms: AuthorityTerms;
  /** The root of what is issued; undefined when nothing real is. */
  readonly rootPem: string | undefined;
  /** Asked for with every order. */
  profile: string | undefined;
  /** What was certified last, for those who are told that it was. */
  lastCertified: Pick<Extract<AuthorityEvent, { kind: 'certified' }>, 'names' | 'notAfterMs'> | undefined;
  readonly #parts: VirtualAuthorityParts;

  constructor(parts: VirtualAuthorityParts) {
    const { ca, clock, random, wishes, perspectives, crypto } = parts;
    this.#parts = parts;
    this.profile = wishes.profile;
    const certificates = certificatesBy(parts);
    this.rootPem = 'hierarchy' in certificates ? certificates.hierarchy.rootPem : undefined;
    const limits = limitsOf(wishes.preset, wishes.limits);
    const baseUrl = `https://ca${ca === 0 ? '' : ca}.${DOMAIN}`;
    this.terms = brokerTerms(baseUrl, limits);
    this.model = new ModelAuthority({
      clock,
      random,
      log: silentLogger,
      policy: policyOf(wishes),
      limits,
      perspectives,
      baseUrl,
      onEvent: (event) => this.#witness(event),
      ...certificates,
    });
    this.authority = crypto.door === 'direct' ? this.#directDoor() : this.#acmeDoor();
  }

  /** How full the CA's buckets are, for the charts. */
  levels(): readonly BucketLevel[] {
    return this.model
      .bucketLevels()
      .map(({ limit, key, level, burst }) => ({ name: `${limit} ${key}`, left: level, burst }));
  }

  changeLimits(limits: Scenario['authority']['limits']): void {
    const { controls } = this.model;
    controls.setLimits({ limits: { ...controls.limits.limits, ...bucketsOf(limits) } });
  }

  #directDoor(): Authority {
    const { clock, random, wishes, crypto } = this.#parts;
    const { readChain = readIssuedChain } = crypto;
    const hasRenewalInfo = wishes.renewalInfo > 0;
    const door = this.model.direct({ thumbprint: 'virtual-broker', address: BROKER_ADDRESS });
    const profile = (): string | undefined => this.profile;
    return new DirectAuthority({ door, clock, random, profile, hasRenewalInfo, readChain });
  }

  #acmeDoor(): Authority & Runnable {
    const { clock, random, crypto } = this.#parts;
    const { accountKeyPem } = crypto;
    return acmeAuthority({
      model: this.model,
      clock,
      random,
      address: BROKER_ADDRESS,
      profile: () => this.profile,
      ...(accountKeyPem !== undefined && { accountKeyPem }),
    });
  }

  #witness(event: AuthorityEvent): void {
    const { ca, clock, tell, applianceOf } = this.#parts;
    if (event.kind === 'certified') this.lastCertified = event;
    const [what, about, names = []] = deedOf(event);
    if (what === undefined) return;
    // Usually there is one; a stranger beside it does not hide whose order it is.
    const owner = names.find((name) => applianceOf(name) !== undefined);
    const appliance = owner === undefined ? undefined : applianceOf(owner);
    const fact = { atMs: clock.nowMs(), kind: 'authority', what, about, ...(ca > 0 && { ca }) } as const;
    tell(appliance === undefined ? fact : { ...fact, appliance });
  }
}

function certificatesBy({ clock, random, crypto }: VirtualAuthorityParts) {
  const { maker, authorityKey } = crypto;
  if (maker) return { maker };
  return { hierarchy: createHierarchy({ clock, random, ...(authorityKey && { makeKey: authorityKey }) }) };
}

function deedOf(event: AuthorityEvent): readonly [AuthorityDeed | undefined, string, (readonly string[])?] {
  switch (event.kind) {
    case 'ordered':
      return ['ordered', takenFor(event), event.names];
    case 'certified':
      return ['certified', event.keyFingerprint, event.names];
    case 'validation-failed':
      return ['validation-failed', event.problem, [event.name]];
    case 'limited':
    case 'overdrawn':
      return [event.kind, event.limit];
    case 'busy':
      return ['busy', event.endpoint];
    case 'refused':
      // 429 and 503 were told by their own names.
      return [event.status === 429 || event.status === 503 ? undefined : 'refused', event.problem];
    case 'cut':
      return ['cut', event.operation];
    case 'revoked':
      return ['revoked', String(event.reason), event.names];
  }
}

function policyOf({ preset, asyncFinalize, validation, renewalInfo }: Scenario['authority']): AuthorityPolicy {
  const calendar = {
    none: [],
    letsencrypt: LETSENCRYPT_CALENDAR,
    'letsencrypt-staging': STAGING_CALENDAR,
    'letsencrypt-override': LETSENCRYPT_CALENDAR,
  };
  return {
    ...BOULDER_POLICY,
    nonceRejectPercent: 0,
    profileChanges: calendar[preset],
    asyncFinalizeMs: asyncFinalize,
    validationDelayMs: validation,
    renewalPollMs: renewalInfo,
    remotePerspectives: 0,
    challengeTypes: ['dns-01'],
  };
}

function limitsOf(preset: Scenario['authority']['preset'], extra: Scenario['authority']['limits']): RateLimits {
  const presets: Readonly<Record<typeof preset, RateLimits>> = {
    none: NO_LIMITS,
    letsencrypt: LETSENCRYPT,
    'letsencrypt-staging': LETSENCRYPT_STAGING,
    'letsencrypt-override': LETSENCRYPT_OVERRIDE,
  };
  const { limits, ceilings } = presets[preset];
  return { ceilings, limits: { ...limits, ...bucketsOf(extra) } };
}

function bucketsOf(limits: Scenario['authority']['limits']): RateLimits['limits'] {
  const named = Object.entries(limits).flatMap(([name, bucket]) =>
    bucket === undefined ? [] : [[name, { burst: bucket.burst, periodMs: bucket.per }] as const],
  );
  return Object.fromEntries(named);
}
