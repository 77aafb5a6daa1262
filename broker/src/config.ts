/** Every setting of the broker: its default, its check and what it is for. The only reader of the settings file. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { acmeDns } from './settings/acme-dns.ts';
import { acme } from './settings/acme.ts';
import type { CaSettings } from './settings/acme.ts';
import { dns } from './settings/dns.ts';
import { address, dnsName, host, port } from './settings/names.ts';

/** `_<16 characters>._acme-challenge.`, a label of 16 and its dot stand before the apex in a name of at most 253. */
const LONGEST_APEX = 202;

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

export type { CaSettings };

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
