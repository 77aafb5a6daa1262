/** `lanyard observe` and `lanyard foreign …`: certificates for our names that somebody saw in public logs. */
import { createReadStream } from 'node:fs';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Command } from 'commander';
import { z } from 'zod';
import { connectToBroker } from './admin-client.ts';
import type { CommandContext } from './context.ts';

const certificate = z.object({
  fingerprint: z.string(),
  names: z.array(z.string()),
  serial: z.string(),
  issuer: z.string(),
  notAfter: z.string(),
});
const observed = z.object({ verdict: z.enum(['own', 'irrelevant', 'foreign']), certificate });
const list = z.object({
  certificates: z.array(certificate.extend({ seenAt: z.string(), settledAt: z.string().optional() })),
});

type Certificate = z.infer<typeof certificate>;

/** The broker takes no more, and only the first certificate counts. */
const MOST_BYTES = 65_536;

export function addForeign(program: Command, configPath: () => string, context: CommandContext): void {
  program
    .command('observe <file>')
    .description('judge a certificate (PEM) that was seen in a public log; - reads standard input')
    .action((file: string) => observe(configPath(), file, context));
  const foreign = program.command('foreign').description('certificates for names of ours that nobody here asked for');
  foreign
    .command('list')
    .description('all of them, those that are not settled first')
    .option('--json', 'as JSON')
    .action((given: unknown) => listForeign(configPath(), given, context));
  foreign
    .command('settle <fingerprint...>')
    .description('somebody has looked into it: it is no alarm any more')
    .action((fingerprints: readonly string[]) => settle(configPath(), fingerprints, context));
}

async function observe(configPath: string, file: string, context: CommandContext): Promise<void> {
  const pem = await firstBytes(file === '-' ? context.input() : createReadStream(file));
  const client = await connectToBroker(configPath);
  const { verdict, certificate: seen } = observed.parse(await client.post('/v1/observed-certificates', { pem }));
  if (verdict === 'foreign') context.print(`foreign: nobody here asked for it\n${textOf(seen)}`);
  else context.print(`${verdict}: ${seen.fingerprint}\n`);
}

async function listForeign(configPath: string, given: unknown, context: CommandContext): Promise<void> {
  const { json } = z.object({ json: z.boolean().optional() }).parse(given);
  const client = await connectToBroker(configPath);
  const answer = await client.get('/v1/foreign-certificates');
  if (json) return context.print(`${JSON.stringify(answer, undefined, 2)}\n`);
  const { certificates } = list.parse(answer);
  if (certificates.length === 0) return context.print('no certificate is known that nobody here asked for\n');
  for (const each of certificates) {
    const standing = each.settledAt === undefined ? 'to be looked into' : `settled ${each.settledAt}`;
    context.print(`seen ${each.seenAt}, ${standing}\n${textOf(each)}`);
  }
}

async function settle(configPath: string, fingerprints: readonly string[], context: CommandContext): Promise<void> {
  const client = await connectToBroker(configPath);
  for (const fingerprint of fingerprints) {
    await client.post(`/v1/foreign-certificates/${encodeURIComponent(fingerprint)}/settle`);
    context.print(`${fingerprint} is settled\n`);
  }
}

function textOf({ fingerprint, names, issuer, serial, notAfter }: Certificate): string {
  return [
    ['fingerprint', fingerprint],
    ['names', names.join(', ')],
    ['issuer', issuer],
    ['serial', serial],
    ['ends', notAfter],
  ]
    .map(([what = '', value = '']) => `  ${what.padEnd(12)} ${value}\n`)
    .join('');
}

/** What comes after them is not read: it may have no end. */
async function firstBytes(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of source) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MOST_BYTES) break;
    }
  } catch (cause) {
    throw new LanyardError('certificate-unreadable', { message: 'the certificate cannot be read', cause });
  }
  return Buffer.concat(chunks).subarray(0, MOST_BYTES).toString('latin1');
}
