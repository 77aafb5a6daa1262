/** The network between the broker and the CA on virtual time: requests and answers are under way for a while. */
import type { Clock, Random } from '@lanyard/sdk/kernel';

/** There and back again, to a CA that does its work in between: as measured with Let's Encrypt from Europe. */
const ROUND_TRIP_MS = { least: 60, spread: 240 };

export interface RoundTripParts {
  readonly clock: Clock;
  readonly random: Random;
}

/** Does `work` at the far end. What it throws before it promises anything comes back at once: nothing was sent. */
export async function roundTrip<T>({ clock, random }: RoundTripParts, work: () => Promise<T>): Promise<T> {
  const wayMs = (ROUND_TRIP_MS.least + random.uniform() * ROUND_TRIP_MS.spread) / 2;
  await passing(clock, wayMs);
  const outcome = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await passing(clock, wayMs);
  if ('value' in outcome) return outcome.value;
  throw outcome.error;
}

/** Without an eye on any signal: a request that has left cannot be called back. */
function passing(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(delayMs, resolve));
}
