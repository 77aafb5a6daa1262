/** The command "lanyard": what it can be told, and how it answers. */
import { LanyardError, describeError } from '@lanyard/sdk/kernel';
import { Command, CommanderError } from 'commander';
import { PRESET_NAMES } from '../certificates/budget/presets.ts';
import { PROFILES } from '../plan/lifetimes.ts';
import { addAcmeDns } from './acme-dns.ts';
import { addAccount } from './account.ts';
import { enrolDevice, listDevices, renewDevice, showDevice } from './device.ts';
import { initialise } from './init.ts';
import { addKeys } from './keys.ts';
import { addDoctor } from './doctor.ts';
import { addForeign } from './foreign.ts';
import { plan } from './plan.ts';
import type { CommandContext } from './context.ts';
import { replaceAll, revokeDevice } from './replace.ts';
import { why } from './why.ts';

/**
 * Runs one command line.
 * @param args without the program's own name.
 * @returns the exit code: 0 done, 1 failed, 2 the command line was wrong.
 */
export async function runCommand(args: readonly string[], context: CommandContext): Promise<number> {
  const program = describeProgram(context);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const code = LanyardError.is(error) ? error.code : 'internal';
    context.printError(`lanyard: ${describeError(error)} [${code}]\n`);
    return 1;
  }
}

function describeProgram(context: CommandContext): Command {
  const program = new Command('lanyard')
    .description('DNS names and browser-trusted certificates for appliances behind NATs.')
    .version(context.version)
    .option('--config <file>', 'settings file', 'lanyard.yaml')
    .exitOverride()
    .configureOutput({ writeOut: context.print, writeErr: context.printError });
  const configPath = (): string => String(program.opts()['config']);

  program
    .command('init')
    .description('make a settings file, the private CA and the admin token')
    .requiredOption('--zone <name>', 'zone that appliances get their names in, for instance devices.example.com')
    .requiredOption('--broker-name <name...>', 'names or addresses that appliances reach this broker by')
    .option('--ca <url>', 'ACME directory of the CA', 'https://acme-v02.api.letsencrypt.org/directory')
    .option('--name-server <name=address...>', 'name servers of the zone with their addresses')
    .option('--mqtt-port <port>', 'port that appliances connect to', '8883')
    .option('--dns-listen <host:port...>', 'addresses that DNS is served on')
    .option('--admin-port <port>', 'port of the admin API on 127.0.0.1', '8080')
    .option('--ca-roots <file>', 'PEM file with the roots of the CA’s own HTTPS server')
    .option('--ca-identity <name>', 'the CA’s name in CAA records; with it, no other CA or account may issue')
    .option('--mqtt-host <address>', 'address that appliances connect to', '0.0.0.0')
    .option('--proxy-peer <address...>', 'load balancers that send a PROXY protocol header')
    .option('--reconnect-spread <seconds>', 'after a restart all appliances come back within this time', '300')
    .action((options: unknown) => initialise(configPath(), options, context));
  program
    .command('serve')
    .description('run the broker until it is told to stop')
    .action(() => context.serve(configPath()));
  addDoctor(program, configPath, context);
  addPlan(program, context);
  addAccount(program, configPath, context);
  addForeign(program, configPath, context);
  addKeys(program, configPath, context);
  addAcmeDns(program, configPath, context);
  addDevice(program, configPath, context);
  program
    .command('revoke <deviceId>')
    .description('revoke an appliance’s certificate at the CA and ask for a new one with a new key')
    .option('--reason <reason>', 'unspecified, key-compromise, superseded or cessation', 'unspecified')
    .option(
      '--signed-by <whom>',
      'account; or appliance: with the certificate’s own key, which the CA then blocks',
      'account',
    )
    .action((deviceId: string, given: unknown) => revokeDevice(configPath(), deviceId, given, context));
  program
    .command('replace')
    .description('have every certificate replaced, evenly within a time: for the day on which the CA revokes all')
    .option('--all', 'every certificate; there is no other choice')
    .requiredOption('--within <time>', 'such as 24h')
    .option('--dry-run', 'only say how many there are')
    .action((given: unknown) => replaceAll(configPath(), given, context));
  program
    .command('why <deviceId>')
    .description('what state an appliance’s certificate is in, what happened, what is next and when')
    .action((deviceId: string) => why(configPath(), deviceId, context));
  return program;
}

function addDevice(program: Command, configPath: () => string, context: CommandContext): void {
  const device = program.command('device').description('enrol and look at appliances, through a running broker');
  device
    .command('enrol <deviceId>')
    .description('give an appliance its name and its identity')
    .option('--csr <file>', 'PEM request made with the identity key on the appliance')
    .option('--out <directory>', 'where to put the identity; makes the key, too, when --csr is missing')
    .action((deviceId: string, options: unknown) => enrolDevice(configPath(), deviceId, options, context));
  device
    .command('list')
    .description('every appliance with its name and certificate')
    .option('--json', 'as JSON')
    .action((options: unknown) => listDevices(configPath(), options, context));
  device
    .command('show <deviceId>')
    .description('everything that is known about one appliance')
    .action((deviceId: string) => showDevice(configPath(), deviceId, context));
  device
    .command('renew <deviceId>')
    .description('ask the appliance for a new certificate now')
    .action((deviceId: string) => renewDevice(configPath(), deviceId, context));
}

function addPlan(program: Command, context: CommandContext): void {
  program
    .command('plan')
    .description('how long a roll-out takes under a CA’s limits, and what to ask the CA for; needs no broker')
    .requiredOption('--appliances <count>', 'how many, each with one certificate')
    .option('--zones <count>', 'zones that they are spread over', '1')
    .option('--ca <name>', `whose limits: ${PRESET_NAMES.join(', ')}`, 'letsencrypt')
    .option('--override <limits>', 'limits in place of the CA’s, such as new-orders=30000/3h,registered-domain=none')
    .option('--profile <name>', `how long certificates live: ${PROFILES.join(', ')}`, 'classic')
    .option('--public-suffix', 'the zones are on the Public Suffix List')
    .option('--by <date>', 'when all are to be certified, such as 2027-06-01: says what to ask the CA for')
    .option('--from <date>', 'first day of the roll-out (default: today)')
    .option('--json', 'as JSON')
    .option('--chart <file>', 'also as an HTML page')
    .action((options: unknown) => plan(options, context));
}
