/** Brokers for the tests of the link: aedes behind mutual TLS, and worse ones. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import type { AedesOptions } from 'aedes';
import { decodeBody } from '../protocol/body.ts';
import { encodeDown } from '../protocol/down-message.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import { downTopic, parseUpTopic } from '../protocol/topics.ts';
import type { DownKind } from '../protocol/topics.ts';
import { parseUp } from '../protocol/up-message.ts';
import type { UpMessage } from '../protocol/up-message.ts';
import type { Issued } from './test-authority.ts';

export interface BrokerWish {
  readonly deviceId: string;
  /** The broker's certificate first; only its key is used. */
  readonly chain: readonly Issued[];
  readonly clientRootPem: string;
  readonly port?: number;
  readonly options?: AedesOptions;
}

/** Aedes behind a TLS listener that demands a client certificate; notes what it sees. */
export class TestBroker {
  /** What it received, in order. */
  readonly heard: UpMessage[] = [];
  readonly connects: object[] = [];
  readonly subscriptions: unknown[] = [];
  readonly userNames: unknown[] = [];
  readonly serverNames: unknown[] = [];
  readonly aedes: Aedes;
  /** Decrypted bytes that arrived. */
  bytes = 0;
  /** DISCONNECT packets that arrived. */
  goodbyes = 0;
  readonly #deviceId: string;
  readonly #sockets = new Set<Socket>();
  readonly #unheard: UpMessage[] = [];
  readonly #arrived = new EventTarget();
  #listening: Listening | undefined;

  private constructor(aedes: Aedes, deviceId: string) {
    this.aedes = aedes;
    this.#deviceId = deviceId;
  }

  static async start({ deviceId, chain, clientRootPem, port = 0, options = {} }: BrokerWish): Promise<TestBroker> {
    const broker = new TestBroker(await Aedes.createBroker({ concurrency: 0 }), deviceId);
    broker.#watch(options);
    const tls = createTlsServer(
      {
        key: chain[0]?.keyPem,
        cert: chain.map(({ certificatePem }) => certificatePem).join(''),
        ca: clientRootPem,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => {
        broker.serverNames.push(socket.servername);
        broker.#accept(socket);
      },
    );
    broker.#listening = await listen(tls, port);
    return broker;
  }

  get port(): number {
    return this.#listening?.port ?? 0;
  }

  /** The next message that nobody has asked for yet. */
  async said(): Promise<UpMessage> {
    while (true) {
      const message = this.#unheard.shift();
      if (message) return message;
      await this.#until('said');
    }
  }

  /** Resolves at the next CONNECT. */
  nextConnect(): Promise<void> {
    return this.#until('connect');
  }

  say(message: DownMessage): void {
    this.publish(message.kind, encodeDown(message));
  }

  publish(kind: DownKind, payload: string | Uint8Array): void {
    const topic = downTopic(this.#deviceId, kind);
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false } as const;
    this.aedes.publish(packet, () => {});
  }

  /** Aedes clears the flag for subscribers of long standing, so the packet is made by hand. */
  publishRetained(kind: DownKind, payload: Uint8Array): void {
    const topic = downTopic(this.#deviceId, kind);
    const rest = Buffer.concat([Buffer.from([0, topic.length]), Buffer.from(topic), payload]);
    // PUBLISH with QoS 0 and the retain flag (MQTT 3.1.1 §3.3.1), its length in two bytes.
    const header = Buffer.from([0x31, (rest.length & 0x7f) | 0x80, rest.length >> 7]);
    for (const socket of this.#sockets) socket.write(Buffer.concat([header, rest]));
  }

  receive(packet: { readonly topic: string; readonly payload: string | Buffer }): void {
    const kind = parseUpTopic(packet.topic)?.kind;
    const body = decodeBody(Buffer.from(packet.payload));
    const parsed = kind && body.ok ? parseUp(kind, body.value) : undefined;
    if (!parsed?.ok) throw new Error(`the broker cannot read ${packet.topic}`);
    this.heard.push(parsed.value);
    this.#unheard.push(parsed.value);
    this.#arrived.dispatchEvent(new Event('said'));
  }

  /** Ends every connection without a word. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async kill(): Promise<void> {
    this.cutAll();
    await this.#listening?.close();
  }

  async close(): Promise<void> {
    await this.kill();
    await new Promise<void>((resolve) => this.aedes.close(resolve));
  }

  #watch(options: AedesOptions): void {
    const watching: AedesOptions = {
      preConnect: (_client, packet, done) => {
        this.connects.push(packet);
        this.#arrived.dispatchEvent(new Event('connect'));
        done(null, true);
      },
      authenticate: (_client, user, _password, done) => {
        this.userNames.push(user);
        done(null, true);
      },
      authorizePublish: (_client, packet, done) => {
        this.receive(packet);
        done(null);
      },
    };
    Object.assign(this.aedes, watching, options);
    this.aedes.on('subscribe', (given) => this.subscriptions.push(...given.map(({ topic, qos }) => ({ topic, qos }))));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.byteLength;
      // MQTT 3.1.1 §3.14.1; MQTT.js writes it on its own, so it arrives in a TLS record of its own.
      if (chunk[0] === 0xe0) this.goodbyes += 1;
    });
    this.aedes.handle(socket);
  }

  #until(name: string): Promise<void> {
    return new Promise((resolve) => this.#arrived.addEventListener(name, () => resolve(), { once: true }));
  }
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

export async function listen(listener: Server, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      listener.close(() => resolve());
    });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP listener's address is always of this kind
  return { port: (listener.address() as AddressInfo).port, close };
}

/** OpenSSL's own server. Unlike Node's it tells a client by an alert what is wrong with its certificate. */
export async function startOpenSsl(server: Issued, clientRootPem: string): Promise<Listening> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-openssl-'));
  const files = { key: server.keyPem, cert: server.certificatePem, CAfile: clientRootPem };
  const given: string[] = [];
  for (const [name, pem] of Object.entries(files)) {
    await writeFile(join(directory, name), pem, { mode: 0o600 });
    given.push(`-${name}`, join(directory, name));
  }
  const demands = ['-Verify', '3', '-verify_return_error'];
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...demands, ...given]);
  let said = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (/ACCEPT .*:\d+\n/.test(said)) break;
  }
  child.stdout.resume();
  const close = async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  return { port: Number(/ACCEPT .*:(\d+)\n/.exec(said)?.[1]), close };
}
