/** Keys for real certificates without waiting and without chance: from the run's seed, each used once. */
import type { KeyMaker } from '@lanyard/sdk';
import type { Random } from '@lanyard/sdk/kernel';
import { randomHex } from '@lanyard/sdk/kernel';
import { namesRequest } from '../../fleet/light-request.ts';
import type { AuthorityKey } from '../../world/authority/issuer.ts';
import { SeededKey } from './seeded-key.ts';

/** What an appliance's own code would take another thread for is done at once. */
export function pooledKeys(random: Random): KeyMaker {
  const nextKey = keysFrom(random);
  return {
    makeKeyPair: async () => {
      const key = nextKey();
      return { keyPem: key.pem, keyHash: key.hash };
    },
    makeSigningRequest: async ({ keyPem, names }) => namesRequest(SeededKey.read(keyPem), names),
  };
}

/** The CA's own keys are of the run, too: what they sign is always of one size. */
export function authorityKeys(random: Random): () => AuthorityKey {
  const nextKey = keysFrom(random);
  return () => {
    const { publicKeyObject: publicKey, sign } = nextKey();
    return { publicKey, sign };
  };
}

/** Numbered below one secret: the small state of the dice could fall the same way twice. */
function keysFrom(random: Random): () => SeededKey {
  const secret = randomHex(random, 32);
  let made = 0;
  return () => SeededKey.from(`${secret} ${++made}`);
}
