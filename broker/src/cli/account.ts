/** `lanyard account …`: the account at the CA, which outlives brokers and can be brought along from another client. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import type { AccountView, CommandContext, WhichAccount } from './context.ts';
import { refuseWhileBrokerRuns } from './running-broker.ts';

const FORMATS = ['certbot', 'dehydrated'] as const;

const accountOptions = z.object({ ca: z.string().optional() }).transform(({ ca }) => ({ ca }));
const showOptions = z.object({ json: z.boolean().default(false), offline: z.boolean().default(false) });
const importOptions = z.object({
  format: z.enum([...FORMATS, 'auto']),
  force: z.boolean().default(false),
  offline: z.boolean().default(false),
});
const exportOptions = z.object({ format: z.enum(FORMATS) });

export function addAccount(program: Command, configPath: () => string, context: CommandContext): void {
  const account = program
    .command('account')
    .description('the account at the CA: look at it, move it, change its key')
    .option('--ca <directory>', 'of which CA, where the settings name several: its directory URL, or a part of it');
  const which = (): WhichAccount => ({ configPath: configPath(), ...accountOptions.parse(account.opts()) });
  account
    .command('show')
    .description('whose account it is, and what the CA says of it; never its key')
    .option('--json', 'as JSON')
    .option('--offline', 'without asking the CA')
    .action((given: unknown) => showAccount(which(), given, context));
  account
    .command('import <directory>')
    .description('take over the account of certbot or dehydrated; no broker may run')
    .addOption(formatOption('auto', ...FORMATS))
    .option('--force', 'keep the account that is there aside and take this one')
    .option('--offline', 'without asking the CA whether it knows the key')
    .action((directory: string, given: unknown) => importAccount(which(), directory, given, context));
  account
    .command('export <directory>')
    .description('write the account, key and all, as another client keeps it')
    .addOption(formatOption(...FORMATS))
    .action((directory: string, given: unknown) => exportAccount(which(), directory, given, context));
  account
    .command('rollover')
    .description('give the account a new key, or finish a change that was interrupted; no broker may run')
    .action(() => rollOverAccount(which(), context));
  account
    .command('deactivate')
    .description('end the account at the CA for ever; no broker may run')
    .requiredOption('--yes-i-mean-it', 'limits that were granted to it are lost with it')
    .action(() => deactivateAccount(which(), context));
}

/** The first is the default. */
function formatOption(...names: readonly string[]): Option {
  return new Option('--format <name>', 'how the directory is laid out').choices(names).default(names[0]);
}

async function showAccount(which: WhichAccount, given: unknown, context: CommandContext): Promise<void> {
  const { json, offline } = showOptions.parse(given);
  await context.withAccountDesk(which, async (desk) => {
    const view = await desk.show({ isOffline: offline });
    context.print(json ? `${JSON.stringify(documentOf(view), undefined, 2)}\n` : textOf(view));
  });
}

async function importAccount(
  which: WhichAccount,
  directory: string,
  given: unknown,
  context: CommandContext,
): Promise<void> {
  const { format, force, offline } = importOptions.parse(given);
  await refuseWhileBrokerRuns(which.configPath);
  await context.withAccountDesk(which, async (desk) => {
    const wishes = { format, isForced: force, isOffline: offline };
    const { url, key, keptAside } = await desk.import(directory, wishes);
    if (keptAside !== undefined) context.print(`the account that was here is kept in ${keptAside}\n`);
    const name = url ?? 'an account whose URL the CA tells when the broker starts';
    context.print(`imported ${name} with its key ${key.kind} (${key.thumbprint})\n`);
    context.print(offline ? 'the CA was not asked whether it knows the key\n' : 'the CA knows the key\n');
  });
}

async function exportAccount(
  which: WhichAccount,
  directory: string,
  given: unknown,
  context: CommandContext,
): Promise<void> {
  const { format } = exportOptions.parse(given);
  await context.withAccountDesk(which, async (desk) => {
    const made = await desk.export(directory, format);
    context.print(`made ${made}\nWhoever reads it can act as this account: keep it secret.\n`);
  });
}

async function rollOverAccount(which: WhichAccount, context: CommandContext): Promise<void> {
  await refuseWhileBrokerRuns(which.configPath);
  await context.withAccountDesk(which, async (desk) => {
    const { kind, thumbprint } = await desk.rollOver();
    context.print(`the account has a new key, ${kind} (${thumbprint}); the old one is worth nothing now\n`);
  });
}

async function deactivateAccount(which: WhichAccount, context: CommandContext): Promise<void> {
  await refuseWhileBrokerRuns(which.configPath);
  await context.withAccountDesk(which, async (desk) => {
    const kept = await desk.deactivate();
    context.print(`deactivated; what is left of it is in ${kept}\nThe next \`lanyard serve\` makes a new account.\n`);
  });
}

function documentOf({ directoryUrl, file, url, key, isKeyChanging, atCa, complaint }: AccountView): object {
  const asked = atCa && { status: atCa.status, contact: atCa.contact };
  return { directory: directoryUrl, account: url, key, isKeyChanging, ...asked, complaint, file };
}

function textOf({ directoryUrl, file, url, key, isKeyChanging, atCa, complaint }: AccountView): string {
  const contact = atCa?.contact.join(', ') ?? '';
  const lines: readonly (readonly [what: string, said: string | undefined])[] = [
    ['directory', directoryUrl],
    ['account', url ?? 'not known yet'],
    ['key', `${key.kind}, thumbprint ${key.thumbprint}`],
    ['change', isKeyChanging ? 'of the key was interrupted: `lanyard account rollover` finishes it' : undefined],
    ['status', atCa?.status],
    ['contact', atCa && (contact || 'none')],
    ['CA', complaint === undefined ? undefined : `asked in vain: ${complaint}`],
    ['file', file],
  ];
  return lines.flatMap(([what, said]) => (said === undefined ? [] : [`${what.padEnd(10)}${said}\n`])).join('');
}
