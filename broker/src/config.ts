/** Every setting of the broker: its default, its check and what it is for. The only reader of the settings file. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { PRESET_NAMES } from './certificates/budget/presets.ts';
import { CHALLENGE_KINDS } from './certificates/challenge-kind.ts';
import { LIMIT_NAMES } from './certificates/budget/rate-limit.ts';
import { TSIG_ALGORITHMS } from './tsig/tsig-key.ts';

const host = z.string().min(1).max(253);
const port = z.int().min(0).max(65_535);
const dnsName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/,
    'must be a DNS name in lower case, without a trailing dot',
  );
/** `_<16 characters>._acme-challenge.`, a label of 16 and its dot stand before the apex in a name of at most 253. */
const LONGEST_APEX = 202;

/** It is shared with programs that take any name; these letters they all write alike. */
const keyName = z
  .string()
  .max(200)
  .regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/, 'must be letters in lower case, digits, hyphens and dots');

const address = z.union([z.ipv4(), z.ipv6()]);

const zone = z.strictObject({
  apex: dnsName
    .max(LONGEST_APEX)
    .describe('The zone that appliances get their names in. Its NS records at the parent point here.'),
  nameServers: z
    .array(z.strictObject({ name: dnsName, addresses: z.array(address).max(8).default([]) }))
    .min(1)
    .max(8)
    .describe('The NS set, equal to the parent’s; addresses are served as glue for names inside the zone.'),
  hostmaster: dnsName
    .optional()
    .describe('SOA RNAME, a mailbox with its @ written as a dot. Default: hostmaster.<apex>.'),
});

const mqtt = z.strictObject({
  host: host.default('0.0.0.0').describe('Address that appliances connect to.'),
  port: port.default(8883),
  names: z
    .array(z.union([dnsName, address, z.literal('localhost')]))
    .min(1)
    .max(16)
    .describe('Names and addresses that appliances know the broker by; its server certificate carries them.'),
  proxyPeers: z
    .array(z.string().max(64))
    .max(64)
    .default([])
    .describe('Load balancers (address or CIDR) that send a PROXY protocol header; nobody else may.'),
});

const dns = z
  .strictObject({
    listen: z
      .array(z.strictObject({ host, port }))
      .min(1)
      .max(16)
      .default([{ host: '0.0.0.0', port: 53 }])
      .describe('Addresses that DNS is served on, UDP and TCP.'),
    rateLimit: z
      .strictObject({
        perSecond: z.int().min(0).max(1_000_000).default(200).describe('Answers with records. 0: no limit at all.'),
        errorsPerSecond: z.int().min(1).max(1_000_000).default(100).describe('Negative answers and errors.'),
        slip: z.int().min(0).max(100).default(2).describe('Every so many suppressed answers one goes out truncated.'),
        exempt: z
          .array(z.union([address, z.cidrv4(), z.cidrv6()]))
          .max(64)
          .default(['127.0.0.0/8', '::1'])
          .describe('Addresses and CIDR blocks without a limit. Nobody can forge loopback from outside.'),
      })
      .prefault({})
      .describe('How many answers one network (/24, /56) gets over UDP, by zone.'),
    cookieSecretFile: z
      .string()
      .optional()
      .describe('Secrets of DNS cookies, for several name servers. Default: one is made in the data directory.'),
    keys: z
      .array(
        z.strictObject({
          name: keyName,
          algorithm: z.enum(TSIG_ALGORITHMS).default('hmac-sha256'),
          secretFile: z.string().min(1),
        }),
      )
      .max(64)
      .default([])
      .describe('TSIG keys that secondaries share with the broker; the file holds the secret in base64.'),
    secondaries: z
      .array(z.strictObject({ address, port: port.min(1).default(53), key: keyName }))
      .max(16)
      .default([])
      .describe('Name servers that follow by NOTIFY and transfer. CAs look when all of them serve a challenge.'),
    rememberedChanges: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(10_000)
      .describe('A secondary that is further behind gets the whole zone. One takes some 500 bytes.'),
  })
  .superRefine(checkKeys);

interface SharedKeys {
  readonly keys: readonly { readonly name: string }[];
  readonly secondaries: readonly { readonly key: string }[];
}

function checkKeys({ keys, secondaries }: SharedKeys, context: z.RefinementCtx): void {
  const names = new Set(keys.map(({ name }) => name));
  if (names.size < keys.length) context.addIssue({ code: 'custom', message: 'two keys have the same name' });
  for (const { key } of secondaries)
    if (!names.has(key)) context.addIssue({ code: 'custom', message: `secondaries: there is no key ${key}` });
}

/** A UUID and its dot stand before it in a name of at most 253. */
const LONGEST_ACME_DNS_APEX = 216;

const acmeDns = z.strictObject({
  register: z
    .enum(['off', 'closed', 'token', 'open'])
    .default('off')
    .describe(
      'Who gets an account of the acme-dns API: `closed` by `lanyard acme-dns register` alone, `token` also who shows ' +
        'one, `open` everybody in `allowFrom`. `off`: the API is not served.',
    ),
  host: host.default('127.0.0.1').describe('Keep it on loopback, or behind a proxy that speaks TLS.'),
  port: port.default(8081),
  apex: dnsName
    .max(LONGEST_ACME_DNS_APEX)
    .optional()
    .describe('What the accounts’ names end in, in the zone. Default: acme-dns.<zone.apex>.'),
  mostAccounts: z.int().min(1).max(10_000).default(1_000).describe('There are never more accounts than this.'),
  tokenFile: z
    .string()
    .optional()
    .describe('File with a token that, beside the admin token, lets register. Readable by its owner only.'),
  allowFrom: z
    .array(z.string().max(64))
    .max(64)
    .default([])
    .describe('Networks (address or CIDR) from which `open` lets register.'),
  proxyPeers: z
    .array(z.string().max(64))
    .max(64)
    .default([])
    .describe('Proxies (address or CIDR) whose X-Forwarded-For is believed; nobody else’s is.'),
});

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

const acme = z
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

const settings = z.strictObject({
  data: z.string().default('data').describe('Directory of database and keys, relative to the settings file.'),
  zone,
  mqtt,
  dns: dns.prefault({}),
  acme,
  http: z
    .strictObject({
      host: host.default('0.0.0.0').describe('Where http-01 is answered, when a CA of the settings is asked for it.'),
      port: port.default(80).describe('CAs ask at port 80 (RFC 8555 §8.3); another one is for behind a forwarder.'),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: host.default('127.0.0.1').describe('Keep it on loopback, or behind a proxy that speaks TLS.'),
      port: port.default(8080),
    })
    .prefault({}),
  acmeDns: acmeDns.prefault({}),
  addresses: z
    .strictObject({
      allowCgnat: z.boolean().default(false).describe('Publish carrier-grade NAT addresses (100.64.0.0/10).'),
      allowGlobal: z.boolean().default(false).describe('Publish addresses that the Internet can reach.'),
    })
    .prefault({}),
  appliances: z
    .strictObject({
      mode: z.enum(['resident', 'checkin']).default('resident').describe('Stay connected, or come and go.'),
      checkInSeconds: z.int().min(10).max(2_592_000).default(21_600),
      reconnectSpreadSeconds: z
        .int()
        .min(0)
        .max(86_400)
        .default(300)
        .describe('After a restart everybody comes back within this time: appliances ÷ (500 × cores), at least.'),
      renewAsleepDays: z
        .int()
        .min(0)
        .max(3_650)
        .default(100)
        .describe(
          'For how long the certificate of one that sleeps is renewed, from the renewal that it missed. 0: not.',
        ),
    })
    .prefault({}),
  issuance: z
    .strictObject({
      concurrency: z.int().min(1).max(256).default(16).describe('Steps towards the CAs at once.'),
      failoverAfterSeconds: z
        .int()
        .min(60)
        .max(604_800)
        .default(900)
        .describe('How long a CA has to be away until the next of `acme.failover` takes its place.'),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});

const schema = settings.superRefine(({ zone: { apex }, acmeDns: guests }, context) => {
  const complain = (name: keyof typeof guests, message: string): void =>
    context.addIssue({ code: 'custom', path: ['acmeDns', name], message });
  if (guests.apex !== undefined && !guests.apex.endsWith(`.${apex}`)) complain('apex', `must lie below ${apex}`);
  if (guests.register === 'open' && guests.allowFrom.length === 0) {
    complain('allowFrom', 'must say from where, when everybody there may register');
  }
});

/** The settings after defaults and checks. */
export type BrokerConfig = z.infer<typeof schema>;

/** What is to be known of one CA. */
export type CaSettings = z.infer<z.ZodObject<typeof certificateAuthority>>;

/** The settings as they are written: everything with a default may be left out. */
export type BrokerConfigInput = z.input<typeof schema>;

/** @throws LanyardError `config-invalid` naming every wrong setting. */
export function parseConfig(input: unknown): BrokerConfig {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new LanyardError('config-invalid', { message: complaints.join('\n') });
}

/**
 * Reads a settings file in YAML; paths in it are taken relative to it.
 * @throws LanyardError `config-unreadable` | `config-invalid`.
 */
export async function loadConfig(path: string): Promise<BrokerConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const message = `${path} cannot be read. Make one with \`lanyard init\`, or name another with --config.`;
    throw new LanyardError('config-unreadable', { cause, message });
  });
  const config = parseConfig(readYaml(text, path));
  const base = dirname(resolve(path));
  const keys = config.dns.keys.map((key) => ({ ...key, secretFile: resolve(base, key.secretFile) }));
  const dnsSettings = { ...config.dns, keys, ...cookieSecrets(config.dns, base) };
  const { tokenFile } = config.acmeDns;
  return {
    ...config,
    data: resolve(base, config.data),
    dns: dnsSettings,
    acme: resolvedPaths(config.acme, base),
    acmeDns: { ...config.acmeDns, ...(tokenFile !== undefined && { tokenFile: resolve(base, tokenFile) }) },
  };
}

function cookieSecrets({ cookieSecretFile }: BrokerConfig['dns'], base: string): Partial<BrokerConfig['dns']> {
  return cookieSecretFile === undefined ? {} : { cookieSecretFile: resolve(base, cookieSecretFile) };
}

function resolvedPaths({ failover, rehearsal, ...first }: BrokerConfig['acme'], base: string): BrokerConfig['acme'] {
  return {
    ...first,
    ...pathsOf(first, base),
    failover: failover.map((ca) => ({ ...ca, ...pathsOf(ca, base) })),
    ...(rehearsal && { rehearsal: { ...rehearsal, ...pathsOf(rehearsal, base) } }),
  };
}

function pathsOf({ roots, externalAccount }: CaSettings, base: string): Partial<CaSettings> {
  return {
    ...(roots !== undefined && { roots: resolve(base, roots) }),
    ...(externalAccount && {
      externalAccount: { ...externalAccount, hmacKeyFile: resolve(base, externalAccount.hmacKeyFile) },
    }),
  };
}

function readYaml(text: string, path: string): unknown {
  try {
    // Aliases are not needed in a settings file and could blow up in memory.
    return parseYaml(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw new LanyardError('config-invalid', { cause, message: `${path} is not YAML: ${String(cause)}` });
  }
}
