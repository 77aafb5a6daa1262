/** The CAs of the settings, each with its account and its connections; a place beside broker.ts that wires acme/. */
import type { Clock, Logger, Runnable } from '@lanyard/sdk/kernel';
import { AcmeAuthority } from './acme/acme-authority.ts';
import { readExternalAccount } from './acme/external-account.ts';
import type { ExternalAccount } from './acme/external-account.ts';
import { FileAccountStore } from './acme/file-account-store.ts';
import { AcmeTransport } from './acme/transport.ts';
import { authorityTerms } from './authority-terms.ts';
import type { CaaIssuer } from './caa-pin.ts';
import type { CaAccount } from './certificates/issuers.ts';
import type { BrokerConfig, CaSettings } from './config.ts';
import { dataDirectory, readSecret, readText } from './data-directory.ts';

interface World {
  readonly clock: Clock;
  readonly log: Logger;
}

/** A CA of the settings; started, it has an account or goes on trying. */
export interface ConfiguredCa extends CaAccount, Runnable {
  readonly authority: AcmeAuthority;
  readonly caa: CaaIssuer;
}

export interface ConfiguredCas {
  /** In the order in which they take over. */
  readonly ranked: readonly ConfiguredCa[];
  readonly rehearsal: ConfiguredCa | undefined;
}

export function allCas({ ranked, rehearsal }: ConfiguredCas): readonly ConfiguredCa[] {
  return [...ranked, ...(rehearsal ? [rehearsal] : [])];
}

/** @throws LanyardError `config-unreadable` | `config-invalid` when roots or the external account cannot be used. */
export async function configuredCas({ acme, data }: BrokerConfig, world: World): Promise<ConfiguredCas> {
  const spare = (settings: CaSettings): Promise<ConfiguredCa> => openCa(settings, data, world, true);
  const first = await openCa(acme, data, world, false);
  const others = await Promise.all(acme.failover.map(spare));
  return { ranked: [first, ...others], rehearsal: acme.rehearsal && (await spare(acme.rehearsal)) };
}

async function openCa(
  settings: CaSettings,
  data: string,
  { clock, log }: World,
  isSpare: boolean,
): Promise<ConfiguredCa> {
  const { directory: directoryUrl, contact, profile, roots, caaIdentity, challenge } = settings;
  const transport = new AcmeTransport({ clock, ...(roots !== undefined && { extraRootsPem: await readText(roots) }) });
  const account = new FileAccountStore({ path: dataDirectory(data).acmeAccount(directoryUrl) });
  const externalAccount = await externalAccountOf(settings);
  const wishes = {
    contact,
    challenge,
    isSpare,
    ...(profile !== undefined && { profile }),
    ...(externalAccount && { externalAccount }),
  };
  const authority = new AcmeAuthority({ directoryUrl, account, transport, clock, log, ...wishes });
  return {
    terms: authorityTerms(settings),
    authority,
    caa: { identity: caaIdentity, accountUrl: () => authority.accountUrl, challenge },
    async start() {
      await transport.start();
      await authority.start();
    },
    async stop() {
      await authority.stop();
      await transport.stop();
    },
  };
}

async function externalAccountOf({ externalAccount }: CaSettings): Promise<ExternalAccount | undefined> {
  if (externalAccount === undefined) return undefined;
  const { kid, hmacKeyFile } = externalAccount;
  return readExternalAccount(kid, await readSecret(hmacKeyFile), hmacKeyFile);
}
