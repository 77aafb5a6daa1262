/** Who may connect, say and hear what. Pure: everything follows from the identity that TLS has proved. */
import { downTopics, isDeviceId, parseDownTopic, parseUpTopic } from '@lanyard/sdk/protocol';
import type { UpKind } from '@lanyard/sdk/protocol';

export interface Credentials {
  /** Common name of the client certificate. */
  readonly deviceId: string;
  readonly clientId: string | null;
  readonly userName: string | undefined;
}

/** Why these credentials do not fit together; undefined when they do. */
export function connectRefusal({ deviceId, clientId, userName }: Credentials): string | undefined {
  if (!isDeviceId(deviceId)) return 'the certificate does not name an appliance';
  // An MQTT server closes the older connection of a client id: a free choice would let one appliance end another's.
  if (clientId !== deviceId) return 'the client id is not the one in the certificate';
  if (userName !== undefined && userName !== deviceId) return 'the user name is not the one in the certificate';
  return undefined;
}

/** What `deviceId` says by publishing to `topic`; undefined when it may not. */
export function publishKind(deviceId: string, topic: string): UpKind | undefined {
  const address = parseUpTopic(topic);
  return address?.deviceId === deviceId ? address.kind : undefined;
}

/** Only the exact topics of its own: no wildcard, nothing that starts with `$`. */
export function maySubscribe(deviceId: string, filter: string): boolean {
  return isDeviceId(deviceId) && downTopics(deviceId).includes(filter);
}

/** Asked again at each delivery, so that a subscription that should not exist still yields nothing. */
export function mayReceive(deviceId: string, topic: string): boolean {
  return parseDownTopic(topic)?.deviceId === deviceId;
}
