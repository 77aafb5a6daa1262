/** One connection of a light client, from the TLS handshake to its end: MQTT 3.1.1 with nothing around it. */
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { describeError } from '@lanyard/sdk/kernel';
import type { Clock, Timer } from '@lanyard/sdk/kernel';
import { decodeBody, downTopics, encodeUp, parseDown, parseDownTopic, upTopic } from '@lanyard/sdk/protocol';
import type { DownMessage, UpMessage } from '@lanyard/sdk/protocol';
import { generate, parser } from 'mqtt-packet';
import type { IPublishPacket, Packet } from 'mqtt-packet';

export interface LightCredentials {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly brokerRootPem: string;
}

export interface LightLineParts {
  /** The hop below TLS, dialling. */
  readonly hop: Socket;
  /** What the broker's certificate has to be for. */
  readonly host: string;
  readonly deviceId: string;
  readonly credentials: LightCredentials;
  readonly clock: Clock;
  /** Connected and subscribed. */
  onUp(): void;
  onMessage(message: DownMessage): void;
  /** The broker has taken the message with this number. */
  onAcknowledged(packet: number): void;
  /** Called once. `isOverload`: turned away by CONNACK 3. */
  onClosed(why: string, isOverload: boolean): void;
}

/** As the SDK does. */
const KEEPALIVE_SECONDS = 120;
const CONNECT_MS = 20_000;
/** MQTT 3.1.1 §3.2.2.3: server unavailable. */
const SERVER_UNAVAILABLE = 3;
/** Never given to a publication, so that its answer cannot be taken for one. */
const SUBSCRIPTION_PACKET = 65_535;

export class LightLine {
  readonly #parts: LightLineParts;
  readonly #socket: TLSSocket;
  #timer: Timer;
  #isUp = false;
  #why = 'the broker closed the connection';
  #isOverload = false;
  #lastPacket = 0;

  constructor(parts: LightLineParts) {
    this.#parts = parts;
    const { hop, host, credentials, clock } = parts;
    const { keyPem: key, certificatePem: cert, brokerRootPem: ca } = credentials;
    this.#timer = clock.setTimer(CONNECT_MS, () => this.#cut('no answer while connecting'));
    this.#socket = connectTls({ socket: hop, host, key, cert, ca });
    // Its errors arrive at the TLS socket as well, and one that nobody hears would end the process.
    hop.on('error', (error) => this.#cut(describeError(error)));
    this.#socket.on('error', (error) => this.#cut(describeError(error)));
    this.#socket.once('close', () => this.#onClosed());
    this.#socket.once('secureConnect', () => this.#introduce());
    const reader = parser({ protocolVersion: 4 });
    reader.on('packet', (packet: Packet) => this.#onPacket(packet));
    reader.on('error', (error: Error) => this.#cut(describeError(error)));
    this.#socket.on('data', (chunk: Buffer) => reader.parse(chunk));
  }

  /** @returns the number under which the broker will acknowledge it. */
  say(message: UpMessage): number {
    this.#lastPacket = (this.#lastPacket % (SUBSCRIPTION_PACKET - 1)) + 1;
    const topic = upTopic(this.#parts.deviceId, message.kind);
    const head = { cmd: 'publish', qos: 1, dup: false, retain: false } as const;
    this.#write({ ...head, topic, payload: encodeUp(message), messageId: this.#lastPacket });
    return this.#lastPacket;
  }

  /** Nobody is told. */
  cut(): void {
    this.#cut('cut off');
  }

  /** Orderly: what was said still arrives. */
  hangUp(): void {
    this.#write({ cmd: 'disconnect' });
    this.#socket.end();
  }

  #introduce(): void {
    const { deviceId } = this.#parts;
    const as = { clientId: deviceId, username: deviceId, keepalive: KEEPALIVE_SECONDS, clean: true };
    this.#write({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, ...as });
  }

  #onPacket(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack': {
        const { returnCode = 0 } = packet;
        if (returnCode !== 0) {
          this.#isOverload = returnCode === SERVER_UNAVAILABLE;
          return this.#cut(`refused with return code ${returnCode}`);
        }
        const subscriptions = downTopics(this.#parts.deviceId).map((topic) => ({ topic, qos: 1 as const }));
        return this.#write({ cmd: 'subscribe', messageId: SUBSCRIPTION_PACKET, subscriptions });
      }
      case 'suback':
        this.#isUp = true;
        this.#keepAlive();
        return this.#parts.onUp();
      case 'publish':
        return this.#onPublish(packet);
      case 'puback':
        return this.#parts.onAcknowledged(packet.messageId ?? 0);
      default:
        return;
    }
  }

  #onPublish({ topic, payload, messageId, qos }: IPublishPacket): void {
    if (qos === 1 && messageId !== undefined) this.#write({ cmd: 'puback', messageId });
    const address = parseDownTopic(topic);
    if (address === undefined || address.deviceId !== this.#parts.deviceId) {
      return this.#cut(`a message for somebody else arrived on ${topic}`);
    }
    const body = decodeBody(Buffer.from(payload));
    const parsed = body.ok ? parseDown(address.kind, body.value) : body;
    if (parsed.ok) this.#parts.onMessage(parsed.value);
    else this.#cut(`the broker’s ${address.kind} cannot be read: ${parsed.message}`);
  }

  #keepAlive(): void {
    this.#timer.cancel();
    this.#timer = this.#parts.clock.setTimer(KEEPALIVE_SECONDS * 1000, () => {
      this.#write({ cmd: 'pingreq' });
      this.#keepAlive();
    });
  }

  #write(packet: Packet): void {
    if (this.#socket.writable) this.#socket.write(generate(packet));
  }

  #cut(why: string): void {
    if (!this.#socket.destroyed) this.#why = why;
    this.#socket.destroy();
    this.#parts.hop.destroy();
  }

  #onClosed(): void {
    this.#timer.cancel();
    const during = this.#isUp ? '' : ' while connecting';
    this.#parts.onClosed(`${this.#why}${during}`, this.#isOverload);
  }
}
