/** A running MQTT server with a scripted conversation behind it, and clients, honest and other, in front of it. */
import { EventEmitter, once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { systemClock } from '@lanyard/sdk/kernel';
import type { Clock, LogFields, Logger } from '@lanyard/sdk/kernel';
import { downTopics } from '@lanyard/sdk/protocol';
import type { DownMessage, UpMessage } from '@lanyard/sdk/protocol';
import { seededRandom } from '@lanyard/sdk/testing';
import { connect as connectMqtt } from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import { generate, parser } from 'mqtt-packet';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import type { Admission, Caller, Conversation } from './conversation.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import type { MqttSettings } from './settings.ts';
import { TestAuthority } from './test-authority.ts';
import type { IssuedCredential } from './test-authority.ts';

/** Welcomes everybody and answers nothing, unless told otherwise. Emits `admit`, `receive` and `gone`. */
export class ScriptedConversation extends EventEmitter implements Conversation {
  readonly callers: Caller[] = [];
  readonly received: { readonly deviceId: string; readonly message: UpMessage }[] = [];
  readonly departed: string[] = [];
  onAdmit: (caller: Caller) => Promise<Admission> = () => Promise.resolve({ kind: 'welcome' });
  onReceive: (deviceId: string, message: UpMessage) => Promise<readonly DownMessage[]> = () => Promise.resolve([]);

  admit(caller: Caller): Promise<Admission> {
    this.callers.push(caller);
    this.emit('admit', caller);
    return this.onAdmit(caller);
  }

  receive(deviceId: string, message: UpMessage): Promise<readonly DownMessage[]> {
    this.received.push({ deviceId, message });
    this.emit('receive', deviceId, message);
    return this.onReceive(deviceId, message);
  }

  gone(deviceId: string): void {
    this.departed.push(deviceId);
    this.emit('gone', deviceId);
  }
}

/** Emits `line` for each. */
export class RecordingLogger extends EventEmitter implements Logger {
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = [];

  debug(fields: LogFields, message: string): void {
    this.#add('debug', fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#add('info', fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#add('warn', fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#add('error', fields, message);
  }

  child(): Logger {
    return this;
  }

  /** The next line whose reason or message contains `text`, perhaps one that is there already. */
  async find(text: string): Promise<LogFields> {
    for (;;) {
      const line = this.lines.find(({ fields, message }) => `${String(fields['reason'])} ${message}`.includes(text));
      if (line) return line.fields;
      await once(this, 'line');
    }
  }

  #add(level: string, fields: LogFields, message: string): void {
    this.lines.push({ level, fields, message });
    this.emit('line');
  }
}

export interface BenchOptions {
  readonly settings?: Partial<MqttSettings>;
  readonly clock?: Clock;
}

export class Bench {
  readonly authority: TestAuthority;
  readonly server: IssuedCredential;
  readonly conversation = new ScriptedConversation();
  readonly log = new RecordingLogger();
  readonly broker: EmbeddedBroker;
  readonly #clients: MqttClient[] = [];
  readonly #heard = new WeakMap<MqttClient, string[]>();
  readonly #sockets: Socket[] = [];

  private constructor(authority: TestAuthority, server: IssuedCredential, options: BenchOptions) {
    this.authority = authority;
    this.server = server;
    this.broker = new EmbeddedBroker({
      settings: { host: '127.0.0.1', port: 0, ...options.settings },
      credentials: { ...server, clientRootPem: authority.rootPem },
      conversation: this.conversation,
      clock: options.clock ?? systemClock,
      random: seededRandom(1),
      log: this.log,
    });
  }

  static async start(options: BenchOptions = {}): Promise<Bench> {
    const authority = await TestAuthority.create();
    const bench = new Bench(authority, await authority.issue({ commonName: 'broker.test', use: 'server' }), options);
    await bench.broker.start();
    return bench;
  }

  get port(): number {
    const address = this.broker.address();
    if (address === undefined) throw new Error('the broker does not listen');
    return address.port;
  }

  /** An honest client by MQTT.js, not connected yet. It does not come back by itself. */
  async client(deviceId: string, options: IClientOptions = {}): Promise<MqttClient> {
    const identity = await this.authority.issue({ commonName: deviceId });
    const client = connectMqtt({
      ...this.#tlsOptions(identity),
      protocol: 'mqtts',
      protocolVersion: 4,
      clientId: deviceId,
      clean: true,
      keepalive: 60,
      reconnectPeriod: 0,
      ...options,
    });
    client.on('error', () => undefined);
    const heard: string[] = [];
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`));
    this.#heard.set(client, heard);
    this.#clients.push(client);
    return client;
  }

  /** Topic and payload of everything that `client` has heard so far. */
  heard(client: MqttClient): readonly string[] {
    return this.#heard.get(client) ?? [];
  }

  /** The same, connected and subscribed to its own topics. */
  async appliance(deviceId: string, options: IClientOptions = {}): Promise<MqttClient> {
    const client = await this.client(deviceId, options);
    await happens(client, 'connect');
    await client.subscribeAsync([...downTopics(deviceId)], { qos: 1 });
    return client;
  }

  /** A TLS connection without any MQTT on it yet. */
  async tls(identity: IssuedCredential | undefined, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = connectTls({ ...this.#tlsOptions(identity), ...options });
    this.#keep(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  /** The same for an identity of this name, with CONNECT sent and accepted. */
  async raw(deviceId: string, connect: Partial<IConnectPacket> = {}): Promise<TLSSocket> {
    const socket = await this.tls(await this.authority.issue({ commonName: deviceId }));
    socket.write(connectPacket(deviceId, connect));
    await once(socket, 'readable');
    socket.read();
    return socket;
  }

  tcp(): Socket {
    const socket = connectTcp(this.port, '127.0.0.1');
    this.#keep(socket);
    return socket;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.end(true);
    for (const socket of this.#sockets) socket.destroy();
    await this.broker.stop();
  }

  #tlsOptions(identity: IssuedCredential | undefined) {
    return {
      host: '127.0.0.1',
      port: this.port,
      ca: this.authority.rootPem,
      // The name in the certificate is the appliance's business and tested there.
      checkServerIdentity: () => undefined,
      ...(identity && { cert: identity.certificatePem, key: identity.keyPem }),
    };
  }

  #keep(socket: Socket): void {
    socket.on('error', () => undefined);
    this.#sockets.push(socket);
  }
}

export function connectPacket(deviceId: string, connect: Partial<IConnectPacket> = {}): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: deviceId,
    keepalive: 60,
    ...connect,
  });
}

/** What the next event of an MQTT.js client carries. Its types do not fit `once` of Node. */
export function happens(client: MqttClient, event: 'connect' | 'close' | 'error' | 'message'): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...values: unknown[]) => resolve(values)));
}

/** All packets that arrive on `socket` until it closes. */
export async function packetsUntilClose(socket: Socket): Promise<readonly Packet[]> {
  const packets: Packet[] = [];
  const reader = parser();
  reader.on('packet', (packet: Packet) => packets.push(packet));
  socket.on('data', (chunk: Buffer) => reader.parse(chunk));
  await closed(socket);
  return packets;
}

/** Resolves when the other side has closed the connection. */
export function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}
