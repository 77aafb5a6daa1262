/** `lanyard init`: a settings file that says what each setting is for, the private CA and the admin token. */
import { rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LanyardError, randomHex } from '@lanyard/sdk/kernel';
import { stringify } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../config.ts';
import type { BrokerConfigInput } from '../config.ts';
import { dataDirectory, makeDataDirectory, writeNew } from '../data-directory.ts';
import type { CommandContext } from './context.ts';
import { optionOf } from './option-name.ts';

const options = z.object({
  zone: z.string(),
  brokerName: z.array(z.string()),
  ca: z.string(),
  nameServer: z.array(z.string().regex(/^[^=]+=[^=]+$/, 'must look like ns1.example.com=192.0.2.1')).optional(),
  mqttPort: z.coerce.number(),
  dnsListen: z.array(z.string().regex(/:\d+$/, 'must look like 0.0.0.0:53')).optional(),
  adminPort: z.coerce.number(),
  caRoots: z.string().optional(),
  caIdentity: z.string().optional(),
  mqttHost: z.string(),
  proxyPeer: z.array(z.string()).optional(),
  reconnectSpread: z.coerce.number(),
});

/** 256 bits: a token of the operator's, compared and never guessed. */
const TOKEN_BYTES = 32;

/**
 * Makes everything that `lanyard serve` needs, or nothing.
 * @throws LanyardError `config-invalid` | `config-exists` | `config-unreadable`.
 */
export async function initialise(configPath: string, given: unknown, context: CommandContext): Promise<void> {
  const settings = settingsOf(given);
  parseConfig(settings);
  const directory = join(dirname(resolve(configPath)), 'data');
  const files = dataDirectory(directory);
  const authority = await context.createPrivateCa(`Lanyard private CA for ${settings.zone.apex}`);
  const isNew = await makeDataDirectory(directory);
  await writeNew([
    { path: configPath, text: `${HEADER}${stringify(settings)}`, mode: 0o644 },
    { path: files.privateCaKey, text: authority.keyPem, mode: 0o600 },
    { path: files.privateCaCertificate, text: authority.certificatePem, mode: 0o644 },
    { path: files.adminToken, text: `${randomHex(context.random, TOKEN_BYTES)}\n`, mode: 0o600 },
  ]).catch(async (error: unknown) => {
    if (isNew) await rmdir(directory);
    throw error;
  });
  context.print(
    `made ${configPath} and ${directory}\n\nNext: check the settings, then\n  lanyard serve --config ${configPath}\nand, while it runs, what is still missing:\n  lanyard doctor --config ${configPath}\n`,
  );
}

const HEADER = `# Settings of the Lanyard broker. docs/operating.md explains each of them and those left at their defaults.
# The directory "data" beside this file holds the private CA's key and the admin token: keep it secret, back it up.
`;

function settingsOf(given: unknown): BrokerConfigInput {
  const parsed = options.safeParse(given);
  if (!parsed.success) {
    const message = parsed.error.issues.map((issue) => `${optionOf(issue.path)}: ${issue.message}`).join('\n');
    throw new LanyardError('config-invalid', { message });
  }
  const { zone, nameServer, dnsListen, mqttPort, mqttHost, proxyPeer, caRoots, caIdentity, ...rest } = parsed.data;
  return {
    data: 'data',
    zone: { apex: zone, nameServers: (nameServer ?? [`ns1.${zone}=127.0.0.1`]).map(nameServerOf) },
    mqtt: { host: mqttHost, port: mqttPort, names: rest.brokerName, ...(proxyPeer && { proxyPeers: proxyPeer }) },
    ...(dnsListen && { dns: { listen: dnsListen.map(endpointOf) } }),
    acme: {
      directory: rest.ca,
      ...(caRoots !== undefined && { roots: resolve(caRoots) }),
      ...(caIdentity !== undefined && { caaIdentity: caIdentity }),
    },
    appliances: { reconnectSpreadSeconds: rest.reconnectSpread },
    admin: { port: rest.adminPort },
  };
}

function nameServerOf(text: string): { name: string; addresses: string[] } {
  const [name = '', addresses = ''] = text.split('=');
  return { name, addresses: addresses.split(',') };
}

function endpointOf(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) };
}
