/** Keys and requests by the SDK's own code, while virtual time stands still. */
import { webCryptoKeys } from '@lanyard/sdk';
import type { KeyMaker } from '@lanyard/sdk';
import type { VirtualClock } from '@lanyard/sdk/testing';

/**
 * One after the other in the order of asking: WebCrypto works in several threads, and whichever is done first must
 * not decide what happens next in the simulated world.
 */
export function realKeys(clock: Pick<VirtualClock, 'standStillFor'>, keys: KeyMaker = webCryptoKeys): KeyMaker {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return clock.standStillFor(done);
  };
  return {
    makeKeyPair: () => inTurn(() => keys.makeKeyPair()),
    makeSigningRequest: (wish) => inTurn(() => keys.makeSigningRequest(wish)),
  };
}
