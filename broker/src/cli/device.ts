/** `lanyard device …`: a client of the admin API, like any other. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import { readSecret, readText, writeNew } from '../data-directory.ts';
import { connectToBroker } from './admin-client.ts';
import type { CommandContext } from './context.ts';

const enrolOptions = z.object({ csr: z.string().optional(), out: z.string().optional() });
const enrolled = z.object({
  deviceId: z.string(),
  name: z.string(),
  identityCertificate: z.string(),
  brokerRoot: z.string(),
});
const row = z.object({
  deviceId: z.string(),
  name: z.string(),
  isConnected: z.boolean(),
  published: z.array(z.string()),
  certificate: z.object({ notAfter: z.string(), installedAt: z.string().optional() }).optional(),
  order: z
    .object({
      state: z.string(),
      nextTryAt: z.string().optional(),
      lastFailure: z.object({ message: z.string() }).optional(),
    })
    .optional(),
});
const rows = z.object({ total: z.number(), appliances: z.array(row) });

const PAGE = 500;

/** Enrols a key that the appliance made (`--csr`), or makes one here for a device that has none yet (`--out` alone). */
export async function enrolDevice(
  configPath: string,
  deviceId: string,
  given: unknown,
  context: CommandContext,
): Promise<void> {
  const { csr, out } = enrolOptions.parse(given);
  if (csr === undefined && out === undefined) {
    throw new LanyardError('admin-request-invalid', { message: 'give --csr FILE, or --out DIRECTORY, or both' });
  }
  const client = await connectToBroker(configPath);
  if (out !== undefined) await refuseToReplace(join(out, 'identity.crt'));
  const material = csr === undefined ? { publicKey: await publicKeyIn(out ?? '') } : { csr: await readText(csr) };
  const answer = enrolled.parse(await client.post('/v1/appliances', { deviceId, ...material }));
  if (out === undefined) {
    context.print(answer.identityCertificate);
    return;
  }
  await mkdir(out, { recursive: true, mode: 0o700 });
  await writeNew([
    { path: join(out, 'identity.crt'), text: answer.identityCertificate, mode: 0o644 },
    { path: join(out, 'broker-root.crt'), text: answer.brokerRoot, mode: 0o644 },
  ]);
  context.print(`${deviceId} is ${answer.name}; its identity is in ${out}\n`);
}

async function refuseToReplace(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) throw new LanyardError('config-exists', { message: `${path} exists already` });
}

/**
 * The public half of the key in `out`, made if need be. It is on disk before anybody is told of it: an id that is
 * enrolled with a lost key can never be used again. A try that failed left its key behind; it is tried with again.
 */
async function publicKeyIn(out: string): Promise<string> {
  const path = join(out, 'identity.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await mkdir(out, { recursive: true, mode: 0o700 });
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeNew([{ path, text, mode: 0o600 }]).catch((error: unknown) => {
    if (!LanyardError.is(error, 'config-exists')) throw error;
  });
  return createPublicKey(await readSecret(path))
    .export({ type: 'spki', format: 'pem' })
    .toString();
}

export async function listDevices(configPath: string, given: unknown, context: CommandContext): Promise<void> {
  const { json } = z.object({ json: z.boolean().optional() }).parse(given);
  const client = await connectToBroker(configPath);
  let after = '';
  for (;;) {
    const query = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
    const page = rows.parse(await client.get(`/v1/appliances?limit=${PAGE}${query}`));
    for (const appliance of page.appliances) context.print(json ? `${JSON.stringify(appliance)}\n` : lineOf(appliance));
    after = page.appliances.at(-1)?.deviceId ?? '';
    if (page.appliances.length < PAGE) return;
  }
}

export async function showDevice(configPath: string, deviceId: string, context: CommandContext): Promise<void> {
  const client = await connectToBroker(configPath);
  const view = await client.get(`/v1/appliances/${encodeURIComponent(deviceId)}`);
  context.print(`${JSON.stringify(view, undefined, 2)}\n`);
}

export async function renewDevice(configPath: string, deviceId: string, context: CommandContext): Promise<void> {
  const client = await connectToBroker(configPath);
  const view = row.parse(await client.post(`/v1/appliances/${encodeURIComponent(deviceId)}/renew`));
  context.print(
    view.isConnected ? `${deviceId} was asked for a new request\n` : `${deviceId} is away; it is asked when it comes\n`,
  );
}

function lineOf({ deviceId, name, isConnected, published, certificate, order }: z.infer<typeof row>): string {
  const line = isConnected ? 'connected' : 'away';
  const standing = certificate ? `certified until ${certificate.notAfter.slice(0, 10)}` : 'no certificate';
  const why = order ? `, ${order.state}${order.lastFailure ? `: ${order.lastFailure.message}` : ''}` : '';
  return `${deviceId}  ${name}  ${published.join(',') || '-'}  ${line}  ${standing}${why}\n`;
}
