/** The MQTT server inside the broker: aedes, behind our own listener and frame guard. */
import type { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import type { Client } from 'aedes';
import { LanyardError, describeError, endsWithin } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable } from '@lanyard/sdk/kernel';
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import type { Conversation } from './conversation.ts';
import { FrameGuard } from './frame-guard.ts';
import type { Violation } from './frame-guard.ts';
import { Gate } from './gate.ts';
import { GuardedConnection } from './guarded-connection.ts';
import type { ServerCredentials } from './handshake.ts';
import { Inbox } from './inbox.ts';
import { Listener } from './listener.ts';
import type { Arrival } from './listener.ts';
import { NoPersistence } from './no-persistence.ts';
import { Outbox } from './outbox.ts';
import { Repeats } from './repeats.ts';
import { Sessions } from './sessions.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { MqttSettings } from './settings.ts';

export interface EmbeddedBrokerParts {
  /** What is not given has its default. */
  readonly settings: Partial<MqttSettings>;
  readonly credentials: ServerCredentials;
  readonly conversation: Conversation;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class EmbeddedBroker implements Runnable {
  readonly #parts: EmbeddedBrokerParts;
  readonly #settings: MqttSettings;
  readonly #sessions: Sessions;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #gate: Gate;
  readonly #listener: Listener;
  readonly #repeats: Repeats;
  #engine: Aedes | undefined;

  constructor(parts: EmbeddedBrokerParts) {
    const { conversation, clock, random, log } = parts;
    const settings = { ...DEFAULT_SETTINGS, ...parts.settings };
    this.#parts = parts;
    this.#settings = settings;
    this.#repeats = new Repeats(clock);
    this.#sessions = new Sessions((deviceId) => this.#noteGone(deviceId));
    this.#outbox = new Outbox({ sessions: this.#sessions, maxUndelivered: settings.maxUndelivered, log });
    this.#inbox = new Inbox({
      conversation,
      reply: (deviceId, message) => this.#outbox.send(deviceId, message),
      limits: settings,
      clock,
      random,
      log,
    });
    this.#gate = new Gate({
      sessions: this.#sessions,
      conversation,
      onMessage: (deviceId, kind, payload) => this.#take(deviceId, kind, payload),
      admitTimeoutMs: settings.connectTimeoutMs,
      maxViolations: settings.maxViolations,
      clock,
      log,
    });
    const onArrival = (arrival: Arrival): void => this.#welcome(arrival);
    this.#listener = new Listener({ settings, credentials: parts.credentials, onArrival, clock, log });
  }

  /** @throws LanyardError `listener-failed` when the address is taken or not ours. */
  async start(): Promise<void> {
    const { connectTimeoutMs, drainTimeoutMs, keepaliveLimitSeconds } = this.#settings;
    this.#engine = await Aedes.createBroker({
      ...this.#gate.hooks(),
      // Neither a queue that overflows the stack when it empties, nor one that a single frozen reader can block.
      concurrency: 0,
      connectTimeout: connectTimeoutMs,
      drainTimeout: drainTimeoutMs,
      keepaliveLimit: keepaliveLimitSeconds,
      // MQTT 3.1 allows 23; ours have up to 64.
      maxClientsIdLength: 64,
      // Only while CONNECT is being answered.
      queueLimit: 8,
      persistence: new NoPersistence(),
    });
    this.#listenToEngine(this.#engine);
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#engine = undefined;
    await this.#listener.stop();
    // The answers to what was accepted still go out, then the sessions end.
    const answered = this.#inbox.idle().then(() => this.#outbox.idle());
    await endsWithin(this.#parts.clock, this.#settings.stopTimeoutMs / 2, answered);
    const closed = this.#sessions.all().map(({ connection }) => this.#end(connection));
    await endsWithin(this.#parts.clock, this.#settings.stopTimeoutMs / 2, Promise.all(closed));
    await new Promise<void>((resolve) => engine.close(resolve));
  }

  /** Where it really listens; undefined when it does not. */
  address(): AddressInfo | undefined {
    return this.#listener.address();
  }

  /** False: the appliance is away, does not listen or does not read, and the message is forgotten. */
  send(deviceId: string, message: DownMessage): boolean {
    return this.#outbox.send(deviceId, message);
  }

  isConnected(deviceId: string): boolean {
    return this.#sessions.find(deviceId)?.isReady === true;
  }

  connectedCount(): number {
    return this.#sessions.readyCount();
  }

  /** Ends the connection of an appliance, if it has one; it will come back and be asked for admission again. */
  disconnect(deviceId: string): void {
    this.#sessions.find(deviceId)?.connection.destroy();
  }

  /** The server's certificate and the clients' root, from the next handshake on. */
  setCredentials(credentials: ServerCredentials): void {
    this.#listener.setCredentials(credentials);
  }

  #welcome({ socket, peer, accepted }: Arrival): void {
    const { clock } = this.#parts;
    const { publishRate, packetRate } = this.#settings;
    const connection = new GuardedConnection({
      socket,
      guard: new FrameGuard({ publishRate, packetRate, clock }),
      peer,
      clock,
      onAccepted: accepted,
      onViolation: (reason) => this.#noteFault(peer.deviceId, reason),
    });
    if (this.#engine) this.#engine.handle(connection);
    else connection.destroy();
  }

  #take(deviceId: string, kind: UpKind, payload: Uint8Array): void {
    this.#inbox.accept(deviceId, kind, payload);
    // The engine is some turns behind: its last message can come after the end of the connection that brought it.
    if (!this.#sessions.find(deviceId)) this.#noteGone(deviceId);
  }

  #listenToEngine(engine: Aedes): void {
    // Not `clientReady`, which may come after the answer to what the appliance sent together with CONNECT.
    engine.on('connackSent', ({ returnCode }, client) => {
      const session = this.#sessions.of(client);
      if (returnCode !== 0 || session === undefined || session.connection.destroyed) return;
      session.isReady = true;
      session.connection.accept();
    });
    engine.on('subscribe', (subscriptions, client) => {
      // MQTT 3.1.1 § 3.9.3: 0x80 is a refusal.
      const granted = subscriptions.filter(({ qos }) => qos < 0x80);
      for (const { topic } of granted) this.#sessions.of(client)?.topics.add(topic);
    });
    engine.on('unsubscribe', (topics, client) => {
      for (const topic of topics) this.#sessions.of(client)?.topics.delete(topic);
    });
    engine.on('clientError', (client, error) => this.#noteClientError(client, error));
    engine.on('connectionError', (client, error) => this.#noteClientError(client, error));
    // The engine's types know only some of its events; unheard, this one would end the process.
    const emitter: EventEmitter = engine;
    emitter.on('error', (error) => this.#parts.log.error({ err: describeError(error) }, 'the MQTT engine failed'));
  }

  #noteClientError(client: Client, error: Error): void {
    // The gate has logged it already, with the reason.
    if (LanyardError.is(error, 'broker-refused')) return;
    const { conn } = client;
    this.#noteFault(conn instanceof GuardedConnection ? conn.peer.deviceId : 'unknown', error.message);
  }

  #noteFault(deviceId: string, reason: Violation | (string & {})): void {
    const { isDue, unlogged } = this.#repeats.note(`${deviceId} ${reason}`);
    if (isDue) this.#parts.log.warn({ deviceId, reason, unlogged }, 'MQTT connection ended with a fault');
  }

  /** What the appliance said before it left is answered first, so that `gone` is the last that is heard of it. */
  #noteGone(deviceId: string): void {
    this.#inbox.afterwards(deviceId, () => {
      if (this.#sessions.find(deviceId)) return;
      try {
        this.#parts.conversation.gone(deviceId);
      } catch (error) {
        this.#parts.log.error({ deviceId, err: describeError(error) }, 'a departure could not be noted');
      }
    });
  }

  #end(connection: GuardedConnection): Promise<void> {
    return new Promise((resolve) => {
      connection.once('close', () => resolve());
      connection.destroy();
    });
  }
}
