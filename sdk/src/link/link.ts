/** Port: the appliance's line to the broker. It comes and goes; nothing is queued while it is away. */
import type { LanyardError } from '../kernel/errors.ts';
import type { Runnable } from '../kernel/runnable.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import type { UpMessage } from '../protocol/up-message.ts';

export type LinkEvent =
  /** Connected and subscribed to the appliance's own topics: time to say hello. */
  | { readonly kind: 'up' }
  /** The line is gone or could not be made; the next attempt happens at `retryAtMs`, epoch milliseconds. */
  | { readonly kind: 'down'; readonly error: LanyardError; readonly retryAtMs: number }
  | { readonly kind: 'message'; readonly message: DownMessage };

export interface Link extends Runnable {
  /** Must be called before `start`; one listener. */
  onEvent(listener: (event: LinkEvent) => void): void;
  /** Hands a message to the line. False: the line is down or congested, and the message is forgotten. */
  send(message: UpMessage): boolean;
  /** After a lost connection come back at a random moment within this many milliseconds (the broker's word). */
  setReconnectSpread(spreadMs: number): void;
}
