/** How much cryptography a simulation does: none, real certificates of keys from the seed, or everything as on an appliance. */
import type { CertificateReader, KeyMaker } from '@lanyard/sdk';
import type { ReadIssuedChain, ReadSigningRequest } from '@lanyard/broker/virtual';
import type { CertificateMaker } from '../../world/authority/certificate-maker.ts';
import { StubCrypto, readStubChain, readStubRequest } from './stub-crypto.ts';

export const CRYPTO_MODES = ['stub', 'pooled', 'real'] as const;

export type CryptoMode = (typeof CRYPTO_MODES)[number];

/** What each side of a simulation uses; what is absent is the product's own. */
export interface Crypto {
  /** Where the broker meets the CA. */
  readonly door: 'direct' | 'acme';
  readonly keys?: KeyMaker;
  readonly reader?: CertificateReader;
  readonly maker?: CertificateMaker;
  readonly readRequest?: ReadSigningRequest;
  readonly readChain?: ReadIssuedChain;
}

export function stubCrypto(): Crypto {
  const { keys, reader, maker } = new StubCrypto();
  return { door: 'direct', keys, reader, maker, readRequest: readStubRequest, readChain: readStubChain };
}
