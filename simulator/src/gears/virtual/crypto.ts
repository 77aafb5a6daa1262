/** How much cryptography a simulation does: none, real certificates of keys from the seed, or everything as on an appliance. */
import type { CertificateReader, KeyMaker } from '@lanyard/sdk';
import type { Random } from '@lanyard/sdk/kernel';
import type { VirtualClock } from '@lanyard/sdk/testing';
import type { ReadIssuedChain, ReadSigningRequest } from '@lanyard/broker/virtual';
import type { CertificateMaker } from '../../world/authority/certificate-maker.ts';
import type { AuthorityKey } from '../../world/authority/issuer.ts';
import { authorityKeys, pooledKeys } from './pooled-crypto.ts';
import { realKeys } from './real-crypto.ts';
import { SeededKey } from './seeded-key.ts';
import { StubCrypto, readStubChain, readStubRequest } from './stub-crypto.ts';

export const CRYPTO_MODES = ['stub', 'pooled', 'real'] as const;

export type CryptoMode = (typeof CRYPTO_MODES)[number];

/** What each side of a simulation uses; what is absent is the product's own. */
export interface Crypto {
  /** Where the broker meets the CA. */
  readonly door: 'direct' | 'acme';
  /** How the CA looks up DNS: in the zone itself, or by packets to the name server. */
  readonly lookups: 'zone' | 'packets';
  readonly keys?: KeyMaker;
  readonly reader?: CertificateReader;
  readonly maker?: CertificateMaker;
  /** The CA's own keys, where it makes real certificates; OpenSSL's when left out. */
  readonly authorityKey?: () => AuthorityKey;
  /** PKCS#8 PEM of the broker's account at the CA, at the door `acme`. */
  readonly accountKeyPem?: string;
  readonly readRequest?: ReadSigningRequest;
  readonly readChain?: ReadIssuedChain;
}

/** The run that the keys are made in. */
export interface CryptoGround {
  readonly clock: Pick<VirtualClock, 'standStillFor'>;
  /** Dice of its own, so that more keys change nothing else. */
  readonly random: Random;
}

export function cryptoOf(mode: CryptoMode, { clock, random }: CryptoGround): Crypto {
  switch (mode) {
    case 'stub':
      return stubCrypto();
    case 'pooled':
      return {
        door: 'direct',
        lookups: 'packets',
        keys: pooledKeys(random),
        authorityKey: authorityKeys(random),
      };
    case 'real':
      return {
        door: 'acme',
        lookups: 'packets',
        keys: realKeys(clock),
        authorityKey: authorityKeys(random),
        accountKeyPem: SeededKey.from(`account ${random.uniform()}`).pem,
      };
  }
}

export function stubCrypto(): Crypto {
  const { keys, reader, maker } = new StubCrypto();
  return {
    door: 'direct',
    lookups: 'zone',
    keys,
    reader,
    maker,
    readRequest: readStubRequest,
    readChain: readStubChain,
  };
}
