/** What the MQTT engine asks us before it does anything: who may connect, publish, subscribe and receive. */
import type { AedesOptions, AedesPublishPacket, Client, ConnectPacket, PublishPacket, Subscription } from 'aedes';
import { LanyardError, deadline, describeError } from '@lanyard/sdk/kernel';
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import type { UpKind } from '@lanyard/sdk/protocol';
import { connectRefusal, maySubscribe, mayReceive, publishKind } from './access.ts';
import type { Admission, Caller, Conversation } from './conversation.ts';
import { GuardedConnection } from './guarded-connection.ts';
import { Repeats } from './repeats.ts';
import type { Sessions } from './sessions.ts';

export interface GateParts {
  readonly sessions: Sessions;
  readonly conversation: Pick<Conversation, 'admit'>;
  /** Takes what an appliance published on one of its own topics. */
  readonly onMessage: (deviceId: string, kind: UpKind, payload: Uint8Array) => void;
  /** How long admitting may take. */
  readonly admitTimeoutMs: number;
  /** Forbidden publishes and subscriptions of one connection before it is closed. */
  readonly maxViolations: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export type EngineHooks = Required<
  Pick<
    AedesOptions,
    'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward' | 'published'
  >
>;

/** MQTT 3.1.1 § 3.2.2.3: the return codes of CONNACK that we use. */
const SERVER_UNAVAILABLE = 3;
const NOT_AUTHORIZED = 5;

/** Nobody listens here. A refusal that closes the connection would be answered by reconnecting and sending it again. */
const DEAD_TOPIC = 'lanyard/dead';

const NOTHING = Buffer.alloc(0);

export class Gate {
  readonly #parts: GateParts;
  readonly #repeats: Repeats;
  readonly #violations = new WeakMap<Client, number>();

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#repeats = new Repeats(parts.clock);
  }

  /** Callbacks are called by `setImmediate`: called at once, the engine recurses until the stack overflows. */
  hooks(): EngineHooks {
    return {
      preConnect: (_client, packet, callback) => {
        forgetSession(packet);
        callback(null, true);
      },
      authenticate: (client, userName, _password, callback) => {
        void this.#answerConnect(client, userName, callback);
      },
      authorizePublish: (client, packet, callback) => {
        this.#checkPublish(client, packet);
        setImmediate(callback, null);
      },
      authorizeSubscribe: (client, subscription, callback) => {
        const granted = this.#checkSubscription(client, subscription);
        setImmediate(callback, null, granted);
      },
      authorizeForward: (client, packet) => (mayReceive(client.id, packet.topic) ? packet : null),
      published: (packet, client: Client | null, callback) => {
        this.#deliver(client, packet);
        setImmediate(callback, null);
      },
    };
  }

  async #answerConnect(
    client: Client,
    userName: string | undefined,
    callback: Parameters<EngineHooks['authenticate']>[3],
  ): Promise<void> {
    const returnCode = await this.#admit(client, userName);
    const refusal = returnCode === 0 ? null : new ConnectRefusal(returnCode);
    setImmediate(callback, refusal, refusal === null);
  }

  async #admit(client: Client, userName: string | undefined): Promise<number> {
    const connection = client.conn;
    if (!(connection instanceof GuardedConnection)) return NOT_AUTHORIZED;
    const { peer } = connection;
    const mismatch = connectRefusal({ deviceId: peer.deviceId, clientId: client.id, userName });
    if (mismatch !== undefined) return this.#turnAway(peer, mismatch, NOT_AUTHORIZED);
    const admission = await this.#ask(peer);
    switch (admission.kind) {
      case 'refused':
        return this.#turnAway(peer, admission.reason, NOT_AUTHORIZED);
      case 'overloaded':
        return this.#turnAway(peer, 'overloaded', SERVER_UNAVAILABLE);
      case 'welcome':
        if (connection.destroyed) return SERVER_UNAVAILABLE;
        this.#parts.sessions.begin(peer.deviceId, client, connection);
        return 0;
    }
  }

  async #ask(peer: Caller): Promise<Admission> {
    const { conversation, clock, admitTimeoutMs, log } = this.#parts;
    using patience = deadline(clock, admitTimeoutMs);
    const tooLate = new Promise<Admission>((resolve) => {
      patience.signal.addEventListener('abort', () => resolve({ kind: 'overloaded' }), { once: true });
    });
    try {
      return await Promise.race([conversation.admit(peer), tooLate]);
    } catch (error) {
      log.error({ deviceId: peer.deviceId, err: describeError(error) }, 'an appliance could not be admitted');
      return { kind: 'overloaded' };
    }
  }

  #turnAway(peer: Caller, reason: string, returnCode: number): number {
    const { deviceId, sourceAddress } = peer;
    this.#note(`${deviceId} ${reason}`, { deviceId, sourceAddress, reason }, 'an appliance was not admitted');
    return returnCode;
  }

  /** Changes what is forbidden into nothing; the engine acknowledges it, and the application's silence says the rest. */
  #checkPublish(client: Client | null, packet: PublishPacket): void {
    // Retained messages would be found by whoever subscribes later.
    packet.retain = false;
    if (client !== null && publishKind(client.id, packet.topic) !== undefined) return;
    if (client !== null) this.#punish(client, 'publish', packet.topic);
    packet.topic = DEAD_TOPIC;
    packet.payload = NOTHING;
  }

  #checkSubscription(client: Client, subscription: Subscription): Subscription | null {
    if (maySubscribe(client.id, subscription.topic)) return subscription;
    this.#punish(client, 'subscribe', subscription.topic);
    return null;
  }

  #deliver(client: Client | null, packet: AedesPublishPacket): void {
    const kind = client === null ? undefined : publishKind(client.id, packet.topic);
    if (client === null || kind === undefined) return;
    const { payload } = packet;
    this.#parts.onMessage(client.id, kind, typeof payload === 'string' ? Buffer.from(payload) : payload);
  }

  #punish(client: Client, what: 'publish' | 'subscribe', topic: string): void {
    const count = (this.#violations.get(client) ?? 0) + 1;
    this.#violations.set(client, count);
    const fields = { deviceId: client.id, what, topic: topic.slice(0, 128) };
    this.#note(`${client.id} ${what}`, fields, 'an appliance tried what it may not');
    if (count > this.#parts.maxViolations) client.conn.destroy();
  }

  #note(key: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    const { isDue, unlogged } = this.#repeats.note(key);
    if (isDue) this.#parts.log.warn({ ...fields, unlogged }, message);
  }
}

/** The engine reads the return code off the error that it is given. */
class ConnectRefusal extends LanyardError {
  readonly returnCode: number;

  constructor(returnCode: number) {
    super('broker-refused');
    this.returnCode = returnCode;
  }
}

/** A session that outlives its connection, and a last will, are things that the protocol does without. */
function forgetSession(packet: ConnectPacket): void {
  packet.clean = true;
  delete packet.will;
}
