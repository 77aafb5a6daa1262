/** The keys that the broker shares with its secondaries, and what they allow. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { BrokerConfig } from './config.ts';
import { readSecret } from './data-directory.ts';
import type { Secondary } from './dns/notifier.ts';
import type { TransferPolicy } from './dns/transfer-policy.ts';
import { parseTsigSecret, type TsigKey } from './tsig/tsig-key.ts';

/** @throws LanyardError `config-unreadable` | `config-invalid`. */
export async function readTsigKeys({ dns }: BrokerConfig): Promise<readonly TsigKey[]> {
  return await Promise.all(
    dns.keys.map(async ({ name, algorithm, secretFile }) => {
      const secret = parseTsigSecret(await readSecret(secretFile));
      if (secret !== undefined) return { name, algorithm, secret };
      const message = `${secretFile} must hold the secret of ${name} in base64 and nothing else, 16 bytes or more`;
      throw new LanyardError('config-invalid', { message });
    }),
  );
}

/** The secondaries of the settings, each with its key. */
export function secondariesOf({ dns }: BrokerConfig, keys: readonly TsigKey[]): readonly Secondary[] {
  return dns.secondaries.map(({ address, port, key: keyName }) => {
    const key = keys.find(({ name }) => name === keyName);
    if (key !== undefined) return { address, port, key };
    throw new LanyardError('config-invalid', { message: `dns.secondaries: there is no key ${keyName}` });
  });
}

/** Undefined: nobody may have a zone. */
export function transferPolicy({ dns }: BrokerConfig, keys: readonly TsigKey[]): TransferPolicy | undefined {
  if (dns.secondaries.length === 0) return undefined;
  const secondaries = dns.secondaries.map(({ address, key }) => ({ address, keyName: key }));
  return { keys, secondaries, rememberedChanges: dns.rememberedChanges };
}
