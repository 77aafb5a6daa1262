/** Which topic carries what. One pattern each way makes the access rules of any MQTT broker. */

export const UP_KINDS = ['hello', 'csr', 'installed', 'bye', 'revocation'] as const;
export const DOWN_KINDS = ['state', 'certificate', 'problem', 'revocation'] as const;

/** What an appliance says. */
export type UpKind = (typeof UP_KINDS)[number];
/** What the broker says. */
export type DownKind = (typeof DOWN_KINDS)[number];

/** No `/`, `+`, `#` or `$`: an id can never change the meaning of a topic filter. */
const DEVICE_ID = /^[a-z0-9-]{8,64}$/;

export function isDeviceId(value: string): boolean {
  return DEVICE_ID.test(value);
}

export function upTopic(deviceId: string, kind: UpKind): string {
  return `lanyard/v1/d/${deviceId}/up/${kind}`;
}

export function downTopic(deviceId: string, kind: DownKind): string {
  return `lanyard/v1/d/${deviceId}/down/${kind}`;
}

/** The topics an appliance subscribes to: exact, never with a wildcard. */
export function downTopics(deviceId: string): readonly string[] {
  return DOWN_KINDS.map((kind) => downTopic(deviceId, kind));
}

export interface UpAddress {
  readonly deviceId: string;
  readonly kind: UpKind;
}

export interface DownAddress {
  readonly deviceId: string;
  readonly kind: DownKind;
}

/** Whose `up` topic this is and what it carries; undefined when it is none of ours. */
export function parseUpTopic(topic: string): UpAddress | undefined {
  const parts = split(topic, 'up');
  const kind = UP_KINDS.find((known) => known === parts?.kind);
  return parts && kind ? { deviceId: parts.deviceId, kind } : undefined;
}

/** Whose `down` topic this is and what it carries; undefined when it is none of ours. */
export function parseDownTopic(topic: string): DownAddress | undefined {
  const parts = split(topic, 'down');
  const kind = DOWN_KINDS.find((known) => known === parts?.kind);
  return parts && kind ? { deviceId: parts.deviceId, kind } : undefined;
}

function split(topic: string, direction: 'up' | 'down'): { deviceId: string; kind: string } | undefined {
  // The longest legal topic has 94 characters; splitting a longer one would only spend memory.
  if (topic.length > 128) return undefined;
  const [root, version, family, deviceId, way, kind, ...rest] = topic.split('/');
  const isOurs = root === 'lanyard' && version === 'v1' && family === 'd' && way === direction && rest.length === 0;
  if (!isOurs || deviceId === undefined || kind === undefined || !isDeviceId(deviceId)) return undefined;
  return { deviceId, kind };
}
