/** What a scenario file may say: population, authority, weather, events at times, expectations. Checked, with defaults. */
import { z } from 'zod';
import { LIMITS } from '@lanyard/sdk/protocol';
import { durationMs } from '../report/duration.ts';

const duration = z.union([z.string(), z.number()]).transform((given, context) => {
  const ms = durationMs(given);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${given}" is no duration such as 90s, 15m, 6h, 30d, 8w` });
  return z.NEVER;
});
const share = z.number().min(0).max(1);
/** Nothing can come again, or fill again, in no time at all. */
const period = duration.refine((ms) => ms > 0, 'must be longer than nothing');
/** The broker says it to appliances in seconds, and they accept no longer wait (sdk/src/protocol/limits.ts). */
const wait = duration.refine((ms) => ms <= LIMITS.waitSeconds * 1_000, 'must be 30 days at most');
const span = z
  .strictObject({ from: duration, to: duration })
  .refine(({ from, to }) => from <= to, 'must not end before it begins');

/** How the appliances of a run come into the world. */
const population = z.strictObject({
  /** Appliances on one site, on average. */
  perSite: z.number().positive().default(2.5),
  /** What share of the sites is of which kind; the rest are plain homes. */
  sites: z
    .strictObject({
      office: share.default(0.2),
      cgnat: share.default(0.2),
      doubleNat: share.default(0.05),
      /** Firewalls that let only port 443 out, and forget a line after five minutes of silence. */
      strictFirewall: share.default(0.05),
      /** NATs that forget a line after a minute of silence, which is before the SDK's next ping. */
      shortIdle: share.default(0),
      /** Resolvers that hide private addresses in answers (DNS rebinding filters). */
      rebindingFilter: share.default(0),
    })
    .prefault({}),
  arrivals: z
    .strictObject({
      /** `workdays`: in office hours, most of them on Monday morning. */
      shape: z.enum(['at-once', 'even', 'ramp', 'workdays']).default('even'),
      over: duration.default(3_600_000),
    })
    .prefault({}),
  /** `resident` stays connected; `checkin` comes as often as `broker.checkIn` says. */
  mode: z.enum(['resident', 'checkin']).default('resident'),
  /** What share of the appliances has which quirk. */
  quirks: z
    .strictObject({
      /** No battery behind the clock: every boot is in 1970 until the broker says the time. */
      boots1970: share.default(0.5),
      /** Reads slowly, answers late: every message takes ten seconds more. */
      slowReader: share.default(0),
    })
    .prefault({}),
});

const bucket = z.strictObject({ burst: z.int().min(1), per: period });

/** Token buckets by the CA's names for them: `burst` at most, refilled evenly within `per`. */
const limits = z.strictObject({
  newOrdersPerAccount: bucket.optional(),
  certificatesPerDomain: bucket.optional(),
  certificatesPerSet: bucket.optional(),
  failedAuthorizations: bucket.optional(),
});

const authority = z.strictObject({
  /** `letsencrypt`: its default limits; `letsencrypt-override`: as a large vendor is granted; `none`. */
  preset: z.enum(['none', 'letsencrypt', 'letsencrypt-staging', 'letsencrypt-override']).default('none'),
  /** On top of the preset. */
  limits: limits.prefault({}),
  /** The profile that the broker asks for; the CA's default when absent. */
  profile: z.enum(['classic', 'tlsserver', 'shortlived']).optional(),
  /** How often the CA wants to be asked when to renew (RFC 9773); `none`: it does not say. */
  renewalInfo: z.union([z.literal('none').transform(() => 0), period]).default(6 * 3_600_000),
  /** How many vantage points look at DNS; left out: six, or one in a simulation without cryptography. */
  perspectives: z.int().min(1).max(20).optional(),
  /** A triggered challenge is looked at after a random part of this. */
  validation: duration.default(2_000),
  /** 0: finalize answers with the certificate; otherwise `processing` for so long. */
  asyncFinalize: duration.default(0),
});

const weather = z.strictObject({
  /** One way, between appliance and broker. */
  latency: span.default({ from: 10, to: 200 }),
  /** Share of the messages that vanish, although the line stays up. */
  loss: share.default(0),
  /** Lines break by themselves after about so long; never when absent. */
  lineLife: duration.optional(),
  /** Lines that broke are noticed only after a keep-alive: share of the breaks that are half-open. */
  halfOpen: share.default(0),
});

/** Which appliances something happens to: by chance, all of one site, or a run of neighbouring sites. */
const where = z.union([
  z.strictObject({ share }),
  z.strictObject({ sites: z.int().min(1) }),
  z.strictObject({ appliances: z.int().min(1) }),
]);

const when = {
  /** Since the start of the run. */
  at: duration,
  /** Comes again after this, until the end or `times` times. */
  every: period.optional(),
  times: z.int().min(1).optional(),
  /** Each time is later by a random part of this, so that it meets everything in every state. */
  jitter: duration.optional(),
};
const whom = { ...when, where: where.default({ share: 1 }) };
const lasting = { for: duration };
/** Which CA of several: 0 is `authority`, 1 the first of `failover`. */
const atCa = { ca: z.int().min(0).default(0) };

/** Everything that can be made to happen. */
const event = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('power-cut'), ...whom, ...lasting }),
  /** Asleep on a shelf or in a drawer: off for long, then back with the clock of the day it was made. */
  z.strictObject({ do: z.literal('shelf'), ...whom, ...lasting }),
  z.strictObject({ do: z.literal('reboot'), ...whom }),
  z.strictObject({ do: z.literal('factory-reset'), ...whom }),
  z.strictObject({ do: z.literal('move'), ...whom }),
  /** Site and broker cannot reach each other; nobody is told. */
  z.strictObject({ do: z.literal('partition'), ...whom, ...lasting }),
  z.strictObject({ do: z.literal('flash-full'), ...whom, ...lasting }),
  z.strictObject({ do: z.literal('flash-read-only'), ...whom, ...lasting }),
  /** The flash goes back to what it held `age` before. */
  z.strictObject({ do: z.literal('restore-image'), ...whom, age: duration }),
  /** A second box with the same identity and flash goes online. */
  z.strictObject({ do: z.literal('clone'), ...whom, ...lasting }),
  z.strictObject({ do: z.literal('broker-stop'), ...when, ...lasting }),
  z.strictObject({ do: z.literal('broker-kill'), ...when, for: duration.default(5_000) }),
  /** `how`: nobody answers, everybody is turned away with 500, or answers are cut off after the deed is done. */
  z.strictObject({
    do: z.literal('authority-outage'),
    ...when,
    ...atCa,
    ...lasting,
    how: z.enum(['unreachable', 'error', 'cut-answers', 'wrong-certificates']).default('unreachable'),
  }),
  z.strictObject({ do: z.literal('authority-limits'), ...when, ...atCa, limits }),
  /** The profile that the broker asks for from now on, or the life that the CA gives it. */
  z.strictObject({
    do: z.literal('profile-change'),
    ...when,
    ...atCa,
    profile: z.enum(['classic', 'tlsserver', 'shortlived']).optional(),
    life: duration.optional(),
  }),
  /** The operator's answer to it: has every appliance asked for a new certificate, evenly within `over`. */
  z.strictObject({ do: z.literal('renew-all'), ...when, over: duration.default(6 * 3_600_000) }),
  /** Every certificate so far is revoked after `notice`; renewal information says so at once. */
  z.strictObject({ do: z.literal('mass-revocation'), ...when, ...atCa, notice: duration.default(86_400_000) }),
  z.strictObject({ do: z.literal('weather'), ...when, ...lasting, weather }),
]);

/** What can be demanded of a result; measures are those of the JSON report. */
const demand = z.strictObject({
  /** For instance `certified`, `timeToCertificateMs.p99`, `authority.limited`. */
  measure: z.string(),
  atLeast: z.union([z.number(), z.string()]).optional(),
  atMost: z.union([z.number(), z.string()]).optional(),
  /** Why it must hold, or why today's behaviour is good enough. */
  because: z.string().optional(),
  /** The bounds hold for the measure divided by the number of appliances or shards, and so for fleets of any size. */
  per: z.enum(['appliance', 'shard']).optional(),
});

export const expectations = z.strictObject({
  demands: z.array(demand).default([]),
  /** Invariants that this scenario breaks on purpose or until a later feature, each with the reason. */
  tolerate: z.array(z.strictObject({ invariant: z.string(), because: z.string() })).default([]),
});

const fields = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  /** One sentence: what is tried, and what should come of it. */
  about: z.string(),
  gears: z
    .array(z.enum(['virtual', 'wall']))
    .min(1)
    .default(['virtual']),
  appliances: z.int().min(1).default(1_000),
  for: duration.default(86_400_000),
  /** Parts of the fleet, each with a broker, a zone and a CA account of its own; in the virtual gear each has a thread. */
  shards: z.int().min(1).max(64).default(1),
  population: population.prefault({}),
  broker: z
    .strictObject({
      /** How often appliances say hello at the latest. */
      checkIn: wait.refine((ms) => ms >= 1_000, 'must be a second at least').default(7 * 86_400_000),
      /** For how long sleeping appliances are renewed in their absence, in days. */
      renewAsleep: duration.default(100 * 86_400_000),
      /** Within which those that lost the broker come back. */
      reconnectSpread: wait.default(300_000),
      concurrency: z.int().min(1).default(64),
      /** How long a CA has to be away until another takes over. */
      failoverAfter: wait.default(900_000),
      /** Appliances may also reach it on port 443, the only one that strict firewalls let out. */
      onPort443: z.boolean().default(true),
    })
    .prefault({}),
  authority: authority.prefault({}),
  /** CAs that take over, in this order, when those before them are away, have no room or refuse. */
  failover: z.array(authority).max(3).default([]),
  weather: weather.prefault({}),
  events: z.array(event).default([]),
  expect: expectations.prefault({}),
});

export const scenarioSchema = fields.superRefine(({ failover, events }, context) => {
  for (const [index, planned] of events.entries()) {
    if (!('ca' in planned) || planned.ca <= failover.length) continue;
    const message = `there is no CA ${planned.ca}: 0 is authority, failover has ${failover.length}`;
    context.addIssue({ code: 'custom', message, path: ['events', index, 'ca'] });
  }
});

export type Scenario = z.output<typeof scenarioSchema>;
/** What a file holds, before defaults. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type ScenarioEvent = Scenario['events'][number];
export type Population = Scenario['population'];
export type Weather = Scenario['weather'];
export type Where = z.output<typeof where>;
export type Expectations = z.output<typeof expectations>;
