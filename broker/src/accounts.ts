/** Opens the account at the CA for the command line: the second place beside broker.ts that wires it. */
import type { Clock } from '@lanyard/sdk/kernel';
import { AccountDesk } from './acme/account-desk.ts';
import { AcmeTransport } from './acme/transport.ts';
import { loadConfig } from './config.ts';
import { dataDirectory, readText } from './data-directory.ts';

/** @throws LanyardError `config-unreadable` | `config-invalid` | whatever `use` throws. */
export async function withAccountDesk(
  { configPath, clock }: { readonly configPath: string; readonly clock: Clock },
  use: (desk: AccountDesk) => Promise<void>,
): Promise<void> {
  const { acme, data } = await loadConfig(configPath);
  const { directory: directoryUrl, roots } = acme;
  const transport = new AcmeTransport({ clock, ...(roots !== undefined && { extraRootsPem: await readText(roots) }) });
  // Every question has its own bound, and an interrupt ends the process.
  const { signal } = new AbortController();
  const file = dataDirectory(data).acmeAccount(directoryUrl);
  await transport.start();
  try {
    await use(new AccountDesk({ directoryUrl, file, transport, clock, signal }));
  } finally {
    await transport.stop();
  }
}
