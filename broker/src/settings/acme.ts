/** The settings of CAs: the first, and those that take over. */
import { z } from 'zod';
import { PRESET_NAMES } from '../certificates/budget/presets.ts';
import { LIMIT_NAMES } from '../certificates/budget/rate-limit.ts';
import { CHALLENGE_KINDS } from '../certificates/challenge-kind.ts';
import { dnsName } from './names.ts';

/** What is to be known of one CA. */
export type CaSettings = z.infer<z.ZodObject<typeof certificateAuthority>>;

const rateLimit = z.strictObject({
  burst: z.int().min(1).max(10_000_000).describe('So many at once.'),
  periodMs: z
    .int()
    .min(1_000)
    .max(366 * 86_400_000)
    .describe('In this time all, or `count` of them, come back.'),
  count: z.int().min(1).max(10_000_000).exactOptional(),
});

const certificateAuthority = {
  directory: z.url({ protocol: /^https?$/ }).describe('Directory URL of the CA.'),
  contact: z
    .array(z.string().regex(/^mailto:.+@.+$/))
    .max(4)
    .default([])
    .describe('For the ACME account.'),
  profile: z.string().max(64).optional().describe('Certificate profile, one of those the CA’s directory lists.'),
  roots: z
    .string()
    .optional()
    .describe('PEM file with the roots of the CA’s own HTTPS server, if the system’s do not do.'),
  externalAccount: z
    .strictObject({
      kid: z.string().min(1).max(512),
      hmacKeyFile: z.string().min(1),
    })
    .optional()
    .describe('External account binding, from a CA that takes only customers: a key’s id, and the file it is in.'),
  caaIdentity: dnsName
    .optional()
    .describe(
      'The CA’s name in CAA records. When set, CAA at the apex allows only this CA, this account and its challenge.',
    ),
  challenge: z
    .enum(CHALLENGE_KINDS)
    .default('dns-01')
    .describe('How names are proved to this CA. All but dns-01 and http-01 follow drafts, which few CAs offer.'),
  limits: z
    .enum(PRESET_NAMES)
    .optional()
    .describe('Whose rate limits are kept. Default: what the directory’s host says; `custom` has none.'),
  overrides: z
    .partialRecord(z.enum(LIMIT_NAMES), z.union([rateLimit, z.literal('none')]))
    .default({})
    .describe('Limits that the CA granted to this account or domain, or that you want to keep to.'),
};

export const acme = z
  .strictObject({
    ...certificateAuthority,
    failover: z
      .array(z.strictObject(certificateAuthority))
      .max(4)
      .default([])
      .describe('CAs that take over in this order: when the one before is away, has no room, or refuses a name.'),
    rehearsal: z
      .strictObject(certificateAuthority)
      .optional()
      .describe('A staging CA, where a name that could not be verified has to pass before it counts again.'),
    publicSuffixes: z
      .array(dnsName)
      .max(64)
      .default([])
      .describe('Zones of yours that are on the Public Suffix List but not yet in the copy that is built in.'),
  })
  .superRefine(checkTogether);

function checkTogether({ failover, rehearsal, ...first }: AllCas, context: z.RefinementCtx): void {
  const all = [first, ...failover, ...(rehearsal ? [rehearsal] : [])];
  if (new Set(all.map(({ directory }) => directory)).size < all.length) {
    context.addIssue({ code: 'custom', message: 'two CAs have the same directory: an account is told by it' });
  }
  // The records at the apex would shut out the CA that they do not name.
  if (new Set(all.map(({ caaIdentity }) => caaIdentity === undefined)).size > 1) {
    context.addIssue({ code: 'custom', message: 'caaIdentity must be set for every CA or for none' });
  }
}

interface AllCas extends CaSettings {
  readonly failover: readonly CaSettings[];
  readonly rehearsal?: CaSettings | undefined;
}
