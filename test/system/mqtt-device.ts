/** Anybody with a client certificate and MQTT.js: what a stranger who has read the protocol's documentation can do. */
import { readFile } from 'node:fs/promises';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { decodeBody, downTopics, parseDown, parseDownTopic, upTopic } from '@lanyard/sdk/protocol';
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import { MqttClient } from 'mqtt';
import { NatGateway } from '../../simulator/src/world/nat-gateway.ts';
import { UNHINDERED } from '../../simulator/src/world/site.ts';

export interface Papers {
  readonly certificatePem?: string;
  readonly keyPem?: string;
  readonly brokerRootPem: string;
}

/** Nobody is told anything later than this. */
const PATIENCE_MS = 20_000;
/** RFC 5737. */
const GATEWAY = new NatGateway({
  name: 'anywhere',
  kind: 'home',
  lan: '192.168.0',
  publicAddress: '203.0.113.9',
  ...UNHINDERED,
});

/** What the factory left on an appliance's flash. */
export async function readPapers(flash: string): Promise<Required<Papers>> {
  const read = (name: string): Promise<string> => readFile(join(flash, 'identity', name), 'utf8');
  const [keyPem, certificatePem, brokerRootPem] = await Promise.all(
    ['identity.key', 'identity.crt', 'broker-root.crt'].map(read),
  );
  if (keyPem === undefined || certificatePem === undefined || brokerRootPem === undefined) throw new Error('no papers');
  return { keyPem, certificatePem, brokerRootPem };
}

export class MqttDevice {
  readonly deviceId: string;
  readonly #client: MqttClient;
  readonly #heard: DownMessage[] = [];
  #onMessage = (): void => undefined;

  constructor(brokerPort: number, deviceId: string, { certificatePem, keyPem, brokerRootPem }: Papers) {
    this.deviceId = deviceId;
    const credentials = {
      ca: brokerRootPem,
      ...(certificatePem && keyPem ? { cert: certificatePem, key: keyPem } : {}),
    };
    const open = (): ReturnType<typeof connectTls> =>
      connectTls({ socket: GATEWAY.dial('127.0.0.1', brokerPort), host: '127.0.0.1', ...credentials });
    this.#client = new MqttClient(open, {
      clientId: deviceId,
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: PATIENCE_MS,
    });
    this.#client.on('message', (topic, payload) => {
      const address = parseDownTopic(topic);
      const body = decodeBody(payload);
      const parsed = address && body.ok ? parseDown(address.kind, body.value) : undefined;
      if (parsed?.ok) this.#heard.push(parsed.value);
      this.#onMessage();
    });
    // What goes wrong is told by `outcome` and `closed`.
    this.#client.on('error', () => undefined);
  }

  /** How connecting ends: `connected`, `refused` with the CONNACK's code, or `closed` without one. */
  async outcome(): Promise<string> {
    return await new Promise((resolve) => {
      this.#client.once('connect', () => resolve('connected'));
      this.#client.once('error', (error) => {
        if ('code' in error && typeof error.code === 'number') resolve(`refused with ${error.code}`);
      });
      this.#client.once('close', () => resolve('closed'));
    });
  }

  async closed(): Promise<void> {
    if (!this.#client.connected) return;
    await new Promise<void>((resolve) => this.#client.once('close', () => resolve()));
  }

  async listen(): Promise<void> {
    await this.#client.subscribeAsync([...downTopics(this.deviceId)], { qos: 1 });
  }

  /** @returns the return code of SUBACK. */
  async trySubscribe(filter: string): Promise<number> {
    return await new Promise((resolve) => {
      this.#client.subscribe(filter, { qos: 1 }, (_error, granted, packet) => {
        const code: unknown = packet?.granted?.[0] ?? granted?.[0]?.qos;
        resolve(typeof code === 'number' ? code : Number.NaN);
      });
    });
  }

  /** Resolves when the broker has acknowledged it. */
  async publish(kind: UpKind, payload: Uint8Array, about = this.deviceId): Promise<void> {
    await this.#client.publishAsync(upTopic(about, kind), Buffer.from(payload), { qos: 1 });
  }

  /** Without waiting for an acknowledgement that will not come. */
  shout(kind: UpKind, payload: Uint8Array): void {
    this.#client.publish(upTopic(this.deviceId, kind), Buffer.from(payload), { qos: 1 }, () => undefined);
  }

  /** The next message that was not taken yet. */
  async hear(): Promise<DownMessage> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const next = new Promise<void>((resolve, reject) => {
        this.#onMessage = resolve;
        limit.addEventListener('abort', () => reject(new Error('the broker said nothing')));
      });
      const message = this.#heard.shift();
      if (message) {
        next.catch(() => undefined);
        return message;
      }
      await next;
    }
  }

  /** How many messages came that nobody has taken. */
  get unheard(): number {
    return this.#heard.length;
  }

  end(): void {
    this.#client.end(true);
  }
}
