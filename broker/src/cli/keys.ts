/** `lanyard keys …`: keys that are never certified again. */
import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Command } from 'commander';
import { z } from 'zod';
import { connectToBroker } from './admin-client.ts';
import type { CommandContext } from './context.ts';

const refused = z.object({ isNew: z.boolean() });
const list = z.object({
  keys: z.array(z.object({ keyHash: z.string(), reason: z.string(), since: z.string() })),
});

const KEY_HASH = /^[0-9a-f]{64}$/;

const PAGE_ROWS = 1000;

export function addKeys(program: Command, configPath: () => string, context: CommandContext): void {
  const keys = program.command('keys').description('keys that are never certified again');
  keys
    .command('refuse <key>')
    .description('refuse a key, by its hash or a PEM file with the key or a certificate of it')
    .action((key: string) => refuseKey(configPath(), key, context));
  keys
    .command('list')
    .description('every refused key: its hash, since when and why')
    .action(() => listKeys(configPath(), context));
}

async function refuseKey(configPath: string, key: string, context: CommandContext): Promise<void> {
  const keyHash = KEY_HASH.test(key) ? key : await hashOf(key);
  const client = await connectToBroker(configPath);
  const { isNew } = refused.parse(await client.post('/v1/refused-keys', { keyHash }));
  context.print(`${keyHash} ${isNew ? 'is refused from now on' : 'was refused already'}\n`);
}

async function listKeys(configPath: string, context: CommandContext): Promise<void> {
  const client = await connectToBroker(configPath);
  for (let after = ''; ;) {
    const from = after === '' ? '' : `&after=${after}`;
    const { keys } = list.parse(await client.get(`/v1/refused-keys?limit=${PAGE_ROWS}${from}`));
    for (const { keyHash, reason, since } of keys) context.print(`${keyHash} ${since} ${reason}\n`);
    const last = keys.at(-1);
    if (keys.length < PAGE_ROWS || last === undefined) return;
    after = last.keyHash;
  }
}

/** Only the hash leaves this process: the file may hold a private key. */
async function hashOf(file: string): Promise<string> {
  try {
    const publicKey = createPublicKey(await readFile(file, 'utf8'));
    return createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex');
  } catch (cause) {
    const message = `${file} is no key hash (64 hex digits), and no PEM file with a key or certificate`;
    throw new LanyardError('option-invalid', { message, cause });
  }
}
