/** Entry "@lanyard/sdk/kernel": the ground under SDK, broker and simulator. */
export { systemClock, sleep, deadline, endsWithin } from './clock.ts';
export type { Clock, Timer, Deadline } from './clock.ts';
export { systemRandom, randomHex, randomId } from './random.ts';
export type { Random } from './random.ts';
export { fullJitter } from './backoff.ts';
export type { BackoffBounds } from './backoff.ts';
export { silentLogger } from './logger.ts';
export type { Logger, LogFields } from './logger.ts';
export { inOrder } from './runnable.ts';
export type { Runnable } from './runnable.ts';
export { LanyardError, ERRORS, describeError } from './errors.ts';
export type { ErrorCode, LanyardErrorOptions } from './errors.ts';
export { MortalTimers } from './mortal-timers.ts';
