/** The acme-dns API as the settings want it. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import { AcmeDnsAccounts } from './acme-dns/acme-dns-accounts.ts';
import type { AcmeDnsAccountsParts } from './acme-dns/acme-dns-accounts.ts';
import type { Admission } from './acme-dns/acme-dns-api.ts';
import { AcmeDnsServer } from './acme-dns/acme-dns-server.ts';
import { Networks } from './acme-dns/networks.ts';
import type { BrokerConfig } from './config.ts';
import { readSecret } from './data-directory.ts';

export interface AcmeDnsParts {
  readonly accounts: AcmeDnsAccounts;
  /** To be started after the accounts. */
  readonly server: AcmeDnsServer;
}

export interface AcmeDnsNeeds extends Pick<AcmeDnsAccountsParts, 'store' | 'board'> {
  readonly adminToken: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** 128 bits in hex: nobody guesses it, however often. */
const SHORTEST_TOKEN = 32;

/** @returns undefined when it is off. @throws LanyardError `config-unreadable` | `config-invalid`. */
export async function acmeDnsParts(config: BrokerConfig, needs: AcmeDnsNeeds): Promise<AcmeDnsParts | undefined> {
  const { register, host, port, mostAccounts, proxyPeers } = config.acmeDns;
  if (register === 'off') return undefined;
  const { store, board, clock, random, log } = needs;
  const apex = acmeDnsApex(config);
  const accounts = new AcmeDnsAccounts({ store, board, apex, mostAccounts, clock, random, log });
  const admission = await admissionOf(config, needs.adminToken);
  const server = new AcmeDnsServer({ accounts, admission, proxies: new Networks(proxyPeers), clock, log, host, port });
  return { accounts, server };
}

/** Below here texts are no challenges of ours. When it is off they are, and go with other strays at the next start. */
export function acmeDnsGuests(config: BrokerConfig): readonly string[] {
  return config.acmeDns.register === 'off' ? [] : [acmeDnsApex(config)];
}

function acmeDnsApex({ zone, acmeDns }: BrokerConfig): string {
  return acmeDns.apex ?? `acme-dns.${zone.apex}`;
}

async function admissionOf({ acmeDns }: BrokerConfig, adminToken: string): Promise<Admission> {
  const { register, allowFrom, tokenFile } = acmeDns;
  if (register === 'open') return { kind: 'open', from: new Networks(allowFrom) };
  if (register !== 'token') return { kind: 'closed' };
  return { kind: 'token', tokens: [adminToken, ...(tokenFile === undefined ? [] : [await readToken(tokenFile)])] };
}

async function readToken(path: string): Promise<string> {
  const token = (await readSecret(path)).trim();
  if (token.length >= SHORTEST_TOKEN) return token;
  throw new LanyardError('config-invalid', { message: `${path}: must hold at least ${SHORTEST_TOKEN} characters` });
}
