/** Port: what an appliance's connection needs from the rest of the broker. */
import type { DownMessage, UpMessage } from '@lanyard/sdk/protocol';

export interface Conversation {
  /** May this identity talk? Called once per connection, before it is accepted. */
  admit(caller: Caller): Promise<Admission>;
  /**
   * Answers one message; replies are sent in this order. One message of an appliance at a time.
   * @throws LanyardError whose `retryAfterMs`, when it has one, is passed on to the appliance.
   */
  receive(deviceId: string, message: UpMessage): Promise<readonly DownMessage[]>;
  /** The connection of this appliance is gone, and no other has taken its place. Perhaps told again after a late message. */
  gone(deviceId: string): void;
}

/** Who is calling, as proved by its TLS client certificate. */
export interface Caller {
  readonly deviceId: string;
  /** SHA-256 of the identity key's SubjectPublicKeyInfo, lower-case hex. */
  readonly identityKeyHash: string;
  /** Where the connection comes from: the appliance's NAT, most likely. */
  readonly sourceAddress: string;
}

export type Admission =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'refused'; readonly reason: 'unknown' | 'disabled' | 'other-key' }
  /** Not now: the appliance comes back later. */
  | { readonly kind: 'overloaded' };
