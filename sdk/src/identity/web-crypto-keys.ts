/** The key maker that appliances have unless they are given another: P-256 by the platform's WebCrypto. */
import { makeKeyPair } from './key-pair.ts';
import { makeSigningRequest } from './signing-request.ts';
import type { KeyPair } from './key-pair.ts';
import type { SigningRequestContents } from './signing-request.ts';

export const webCryptoKeys = {
  makeKeyPair: (): Promise<KeyPair> => makeKeyPair(),
  makeSigningRequest: (wish: SigningRequestContents): Promise<Uint8Array> => makeSigningRequest(wish),
};
