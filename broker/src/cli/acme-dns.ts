/** `lanyard acme-dns …`: accounts by which other machines prove their names in our zone. */
import type { Command } from 'commander';
import { z } from 'zod';
import { connectToBroker } from './admin-client.ts';
import type { CommandContext } from './context.ts';

const registration = z.object({
  username: z.string(),
  password: z.string(),
  name: z.string(),
  label: z.string(),
  allowFrom: z.array(z.string()),
});
const list = z.object({
  accounts: z.array(
    z.object({
      name: z.string(),
      allowFrom: z.array(z.string()),
      createdAt: z.string(),
      lastUpdateAt: z.string().optional(),
    }),
  ),
});

export function addAcmeDns(program: Command, configPath: () => string, context: CommandContext): void {
  const acmeDns = program.command('acme-dns').description('accounts by which other machines prove names in this zone');
  acmeDns
    .command('register <name>')
    .description('make an account, and print what lego and certbot-dns-acmedns store of it for the name')
    .option('--allow-from <network...>', 'networks (CIDR) that it may be used from; anywhere when left out')
    .action((name: string, given: unknown) => register(configPath(), name, given, context));
  acmeDns
    .command('list')
    .description('every account: its name, when it was made, and when it was last used')
    .option('--json', 'as JSON')
    .action((given: unknown) => listAccounts(configPath(), given, context));
  acmeDns
    .command('remove <label...>')
    .description('end accounts, and take down what their names say')
    .action((labels: readonly string[]) => remove(configPath(), labels, context));
}

async function register(configPath: string, name: string, given: unknown, context: CommandContext): Promise<void> {
  const { allowFrom = [] } = z.object({ allowFrom: z.array(z.string()).optional() }).parse(given);
  const client = await connectToBroker(configPath);
  const made = registration.parse(await client.post('/v1/acme-dns-accounts', { allowFrom }));
  // A wildcard is proved by the same record as its name.
  const proved = name.replace(/^\*\./, '');
  context.print(`${JSON.stringify({ [proved]: storedForm(made) }, undefined, 2)}\n`);
  // Not for the file that the output goes into.
  context.printError(`Add to the zone of ${proved}:\n_acme-challenge.${proved}. CNAME ${made.name}.\n`);
}

/** As acme-dns tells it, and its clients keep it. */
function storedForm({ username, password, name, label, allowFrom }: z.infer<typeof registration>) {
  return { username, password, fulldomain: name, subdomain: label, allowfrom: allowFrom };
}

async function listAccounts(configPath: string, given: unknown, context: CommandContext): Promise<void> {
  const { json } = z.object({ json: z.boolean().optional() }).parse(given);
  const client = await connectToBroker(configPath);
  const answer = await client.get('/v1/acme-dns-accounts');
  if (json) return context.print(`${JSON.stringify(answer, undefined, 2)}\n`);
  const { accounts } = list.parse(answer);
  if (accounts.length === 0) return context.print('there are no acme-dns accounts\n');
  for (const { name, allowFrom, createdAt, lastUpdateAt } of accounts) {
    const used = lastUpdateAt === undefined ? 'never used' : `used ${lastUpdateAt}`;
    const from = allowFrom.length === 0 ? 'anywhere' : allowFrom.join(', ');
    context.print(`${name}\n  made ${createdAt}, ${used}, from ${from}\n`);
  }
}

async function remove(configPath: string, labels: readonly string[], context: CommandContext): Promise<void> {
  const client = await connectToBroker(configPath);
  for (const label of labels) {
    await client.post(`/v1/acme-dns-accounts/${encodeURIComponent(label)}/remove`);
    context.print(`${label} is removed\n`);
  }
}
