/** One MQTT connection from CONNECT to its end. Never reused: what it did not deliver is forgotten with it. */
import type { Duplex } from 'node:stream';
import { MqttClient } from 'mqtt';
import type { IClientOptions, IPublishPacket } from 'mqtt';
import type { Clock, Timer } from '../kernel/clock.ts';
import { LanyardError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { decodeBody } from '../protocol/body.ts';
import { parseDown } from '../protocol/down-message.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import { LIMITS } from '../protocol/limits.ts';
import { downTopic, parseDownTopic, upTopic } from '../protocol/topics.ts';
import { encodeUp } from '../protocol/up-message.ts';
import type { UpMessage } from '../protocol/up-message.ts';
import { intervalsOn } from './clock-intervals.ts';
import { asBrokerError } from './dial-broker.ts';
import { PacketLimit } from './packet-limit.ts';

export interface SessionParts {
  readonly stream: Duplex;
  readonly deviceId: string;
  readonly keepaliveSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
  onReady(): void;
  onMessage(message: DownMessage): void;
  /** Called once, whether it was ever ready or not. */
  onClosed(error: LanyardError): void;
}

/** Far above any message of ours, so that a merely too large one is dropped without losing the line. */
const LARGEST_PACKET_BYTES = 256 * 1024;
/** Messages the broker has not yet acknowledged; an appliance says three or four things in a row. */
const IN_FLIGHT = 16;
/** An acknowledgement takes one round trip. A line without one for this long only looks alive. */
const ACKNOWLEDGE_MS = 60_000;
/** How long a goodbye may take: a round trip for the last message and one to close. */
const GOODBYE_MS = 3_000;
/** The broker may speak before it has confirmed the subscriptions; four topics, so few messages. */
const EARLY_MESSAGES = 8;
/** Without these there is no conversation. */
const ESSENTIAL = ['state', 'certificate', 'problem'] as const;
/** MQTT.js times its own connect with the system's timers; ours, on the clock, comes first. */
const NEVER_MS = 2 ** 31 - 1;
/** MQTT 3.1.1 §3.2.2.3: not authorized. */
const LAST_RETURN_CODE = 5;
/** Bit of a SUBACK's return code (MQTT 3.1.1 §3.9.3). */
const SUBSCRIPTION_FAILED = 0x80;

export class MqttSession {
  readonly #parts: SessionParts;
  readonly #awaited = new Set<Timer>();
  #early: DownMessage[] = [];
  #client: MqttClient | undefined;
  #error: LanyardError | undefined;
  #isReady = false;
  #isClosed = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Sends CONNECT, then subscribes; `onReady` when both are confirmed. */
  open(): void {
    const { stream, deviceId } = this.#parts;
    const limit = new PacketLimit({ maxBytes: LARGEST_PACKET_BYTES });
    stream.on('data', (chunk: Uint8Array) => {
      if (!limit.accepts(chunk)) this.abort(unreachable('the broker sent a packet that is too large'));
    });
    const client = new MqttClient(() => stream, this.#options());
    this.#client = client;
    client.on('error', (error) => this.abort(refusal(error) ?? asBrokerError(error)));
    client.on('close', () => this.#onClosed());
    client.on('message', (topic, payload, packet) => this.#onMessage(topic, payload, packet));
    client.on('connect', () => {
      client.subscribe(
        ESSENTIAL.map((kind) => downTopic(deviceId, kind)),
        { qos: 1 },
        (error, granted) => {
          const isGranted = granted?.every(({ qos }) => qos !== SUBSCRIPTION_FAILED) ?? false;
          if (error || !isGranted) this.abort(unsubscribed(error));
          else this.#onReady();
        },
      );
      // A broker before 0.2 refuses this one, and never has anything to say on it.
      client.subscribe(downTopic(deviceId, 'revocation'), { qos: 1 }, () => {});
    });
  }

  /** False when the session is not ready or too much is unacknowledged. */
  send(message: UpMessage): boolean {
    const { deviceId, clock, log } = this.#parts;
    if (!this.#client || !this.#isReady || this.#isClosed || this.#awaited.size >= IN_FLIGHT) return false;
    const payload = encodeUp(message);
    if (payload.byteLength > LIMITS.bodyBytes) {
      log.error({ kind: message.kind, bytes: payload.byteLength }, 'a message is too large to be sent');
      return false;
    }
    const timer = clock.setTimer(ACKNOWLEDGE_MS, () => this.abort(unreachable('the broker acknowledges nothing')));
    this.#awaited.add(timer);
    this.#client.publish(upTopic(deviceId, message.kind), payload, { qos: 1 }, () => this.#forget(timer));
    return true;
  }

  /** Lets the last messages be acknowledged, then disconnects; cuts the line when that takes too long. */
  close(): Promise<void> {
    const { clock, stream } = this.#parts;
    return new Promise((resolve) => {
      if (!this.#client || this.#isClosed) return resolve();
      const timer = clock.setTimer(GOODBYE_MS, () => stream.destroy());
      stream.once('close', () => {
        timer.cancel();
        resolve();
      });
      if (this.#isReady) this.#client.end(false);
      else stream.destroy();
      this.#isReady = false;
    });
  }

  /** Cuts the line; `error` is what `onClosed` gets, unless something failed before. */
  abort(error: LanyardError): void {
    this.#error ??= error;
    this.#client?.end(true);
    this.#parts.stream.destroy();
  }

  #options(): IClientOptions {
    const { deviceId, keepaliveSeconds, clock } = this.#parts;
    return {
      protocolVersion: 4,
      clean: true,
      clientId: deviceId,
      username: deviceId,
      keepalive: keepaliveSeconds,
      timerVariant: intervalsOn(clock),
      connectTimeout: NEVER_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
    };
  }

  #onReady(): void {
    if (this.#isClosed) return;
    this.#isReady = true;
    this.#parts.onReady();
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.#parts.onMessage(message);
  }

  #onMessage(topic: string, payload: Uint8Array, packet: IPublishPacket): void {
    const { deviceId, log } = this.#parts;
    const address = parseDownTopic(topic);
    // The protocol has no retained messages: one would be what somebody said long ago.
    if (address?.deviceId !== deviceId || packet.retain) {
      return log.warn({ topic: topic.slice(0, 128) }, 'a message on a foreign topic, or retained, is dropped');
    }
    const body = decodeBody(payload);
    const parsed = body.ok ? parseDown(address.kind, body.value) : body;
    if (!parsed.ok) {
      const fields = { kind: address.kind, bytes: payload.byteLength, why: parsed.message };
      return log.warn(fields, 'a message from the broker cannot be read and is dropped');
    }
    if (this.#isReady) this.#parts.onMessage(parsed.value);
    else if (this.#early.length < EARLY_MESSAGES) this.#early.push(parsed.value);
  }

  #onClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#early = [];
    for (const timer of this.#awaited) this.#forget(timer);
    this.#parts.onClosed(this.#error ?? unreachable('the broker closed the connection'));
  }

  #forget(timer: Timer): void {
    timer.cancel();
    this.#awaited.delete(timer);
  }
}

/** CONNACK with a return code (MQTT 3.1.1 §3.2.2.3); undefined for every other error. */
function refusal(error: Error): LanyardError | undefined {
  const returnCode = 'code' in error ? error.code : undefined;
  // MQTT.js numbers errors of its own from 128 up.
  if (typeof returnCode !== 'number' || returnCode > LAST_RETURN_CODE) return undefined;
  const details = { returnCode };
  if (returnCode === 3) {
    return new LanyardError('broker-unreachable', { message: 'the broker is overloaded', cause: error, details });
  }
  const message = `the broker refused the identity (MQTT return code ${returnCode})`;
  return new LanyardError('broker-refused', { message, cause: error, details });
}

function unsubscribed(cause: unknown): LanyardError {
  const message = 'the broker does not let the appliance subscribe to its own topics';
  return new LanyardError('broker-refused', { message, cause });
}

function unreachable(message: string): LanyardError {
  return new LanyardError('broker-unreachable', { message });
}
