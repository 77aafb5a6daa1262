/** Opens the account at the CA for the command line: the second place beside broker.ts that wires it. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { AccountDesk } from './acme/account-desk.ts';
import { AcmeTransport } from './acme/transport.ts';
import { loadConfig } from './config.ts';
import type { BrokerConfig, CaSettings } from './config.ts';
import { dataDirectory, readText } from './data-directory.ts';

interface WhichAccount {
  readonly configPath: string;
  readonly ca: string | undefined;
  readonly clock: Clock;
  /** Default: none. Every question has its own bound, and an interrupt ends the process. */
  readonly signal?: AbortSignal;
}

/**
 * @param ca a directory URL of the settings, or what only one of them contains; undefined: the first.
 * @throws LanyardError `config-unreadable` | `config-invalid` | `account-unusable` | whatever `use` throws.
 */
export async function withAccountDesk(
  { configPath, ca, clock, signal = new AbortController().signal }: WhichAccount,
  use: (desk: AccountDesk) => Promise<void>,
): Promise<void> {
  const { acme, data } = await loadConfig(configPath);
  const { directory: directoryUrl, roots } = chosenCa(acme, ca);
  const transport = new AcmeTransport({ clock, ...(roots !== undefined && { extraRootsPem: await readText(roots) }) });
  const file = dataDirectory(data).acmeAccount(directoryUrl);
  await transport.start();
  try {
    await use(new AccountDesk({ directoryUrl, file, transport, clock, signal }));
  } finally {
    await transport.stop();
  }
}

function chosenCa({ failover, rehearsal, ...first }: BrokerConfig['acme'], ca: string | undefined): CaSettings {
  if (ca === undefined) return first;
  const all: readonly CaSettings[] = [first, ...failover, ...(rehearsal ? [rehearsal] : [])];
  const [found, ...more] = all.filter(({ directory }) => directory.includes(ca));
  if (found && more.length === 0) return found;
  const named = all.map(({ directory }) => directory).join(', ');
  throw new LanyardError('account-unusable', { message: `${ca} is not one of the CAs of the settings: ${named}` });
}
