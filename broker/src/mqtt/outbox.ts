/** The way to an appliance: its own connection, its own topic, QoS 1. Nothing waits for one that is away. */
import type { Logger } from '@lanyard/sdk/kernel';
import { LIMITS, downTopic, encodeDown } from '@lanyard/sdk/protocol';
import type { DownMessage } from '@lanyard/sdk/protocol';
import type { Session, Sessions } from './sessions.ts';

export interface OutboxParts {
  readonly sessions: Sessions;
  /** Messages on their way to one appliance that its socket has not taken yet. */
  readonly maxUndelivered: number;
  readonly log: Logger;
}

export class Outbox {
  readonly #parts: OutboxParts;
  #undelivered = 0;
  #whenIdle: (() => void) | undefined;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** False: the appliance is away, does not listen or does not read, and the message is forgotten. */
  send(deviceId: string, message: DownMessage): boolean {
    const session = this.#parts.sessions.find(deviceId);
    const topic = downTopic(deviceId, message.kind);
    if (session === undefined || !this.#canTake(session, topic)) return false;
    const payload = encodeDown(message);
    if (payload.byteLength > LIMITS.bodyBytes) {
      this.#parts.log.error({ deviceId, kind: message.kind, sizeBytes: payload.byteLength }, 'a message is too large');
      return false;
    }
    session.undelivered += 1;
    this.#undelivered += 1;
    // To this client, not by topic to whoever may have subscribed: nobody else can ever get it.
    const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const;
    session.client.publish(packet, () => this.#settle(session));
    return true;
  }

  /** Resolves when every message has been taken by its socket or lost with it. */
  async idle(): Promise<void> {
    if (this.#undelivered > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  #settle(session: Session): void {
    session.undelivered -= 1;
    this.#undelivered -= 1;
    if (this.#undelivered === 0) this.#whenIdle?.();
  }

  #canTake(session: Session, topic: string): boolean {
    return session.isReady && session.topics.has(topic) && session.undelivered < this.#parts.maxUndelivered;
  }
}
