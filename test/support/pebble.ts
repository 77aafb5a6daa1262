/** Pebble, the reference CA of Let's Encrypt, as the CA of a test, looking straight at our own name server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { systemClock, systemRandom, deadline, sleep } from '@lanyard/sdk/kernel';
import type { TownAuthority } from '@lanyard/simulator';
import { z } from 'zod';
import { createDoorCertificate } from '../../simulator/src/world/authority/door-certificate.ts';
import { freePort } from '../../simulator/src/world/free-port.ts';
import type { Endpoint } from '../../simulator/src/world/lan.ts';
import { peer } from './peers.ts';
import { Program } from './program.ts';

export interface PebbleWishes {
  /** `PEBBLE_…`, as its README has them. Nonce rejection (5 %) and reuse of proofs (50 %) stay at its defaults. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Beside ours, in its settings file. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

interface PebbleParts {
  readonly directory: string;
  readonly nameServer: Endpoint;
  readonly ports: { readonly door: number; readonly management: number };
  readonly tlsRootPem: string;
  readonly environment: PebbleWishes['environment'];
}

const LOOPBACK = '127.0.0.1';
const START_MS = 20_000;
const LOOK_AGAIN_MS = 50;
const CAA_IDENTITY = 'pebble.letsencrypt.org';

const certificateStatus = z.object({ Certificate: z.string(), Status: z.string(), Reason: z.number().optional() });

export async function startPebble(nameServer: Endpoint, wishes: PebbleWishes = {}): Promise<Pebble> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-pebble-'));
  const ports = { door: await freePort(), management: await freePort() };
  const { rootPem: tlsRootPem, ...door } = createDoorCertificate(LOOPBACK, systemRandom);
  const files = { certificate: join(directory, 'door.crt'), privateKey: join(directory, 'door.key') };
  await writeFile(files.certificate, door.certificatePem);
  await writeFile(files.privateKey, door.privateKeyPem, { mode: 0o600 });
  const pebble = { ...settings(ports, files), ...wishes.settings };
  await writeFile(join(directory, 'pebble.json'), JSON.stringify({ pebble }));
  const started = new Pebble({ directory, nameServer, ports, tlsRootPem, environment: wishes.environment });
  try {
    await started.start();
    return started;
  } catch (error) {
    await started.stop();
    throw error;
  }
}

export class Pebble implements TownAuthority {
  readonly caaIdentity = CAA_IDENTITY;
  readonly #parts: PebbleParts;
  #program: Program | undefined;
  #rootPem = '';

  constructor(parts: PebbleParts) {
    this.#parts = parts;
  }

  get directoryUrl(): string {
    return `https://${LOOPBACK}:${this.#parts.ports.door}/dir`;
  }

  get tlsRootPem(): string {
    return this.#parts.tlsRootPem;
  }

  /** Made anew at every start. */
  get rootPem(): string {
    return this.#rootPem;
  }

  async start(): Promise<void> {
    const { directory, nameServer, environment } = this.#parts;
    const where = ['-config', join(directory, 'pebble.json'), '-dnsserver', `${nameServer.host}:${nameServer.port}`];
    // Its validators sleep up to 15 seconds before they look: that tests patience, not correctness.
    const patience = { PEBBLE_VA_NOSLEEP: '1' };
    const program = new Program({
      command: peer('pebble'),
      args: where,
      environment: { ...process.env, ...patience, ...environment },
    });
    this.#program = program;
    this.#rootPem = await this.#untilAnswered(this.#manage('roots/0'), program);
    await this.#untilAnswered(this.directoryUrl, program);
  }

  /** Without a farewell: everything it knew is gone. */
  async kill(): Promise<void> {
    this.#program?.signal('SIGKILL');
    await this.#program?.ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#parts.directory, { recursive: true, force: true });
  }

  /** Everything that it said since its start. */
  said(): string {
    return this.#program?.said() ?? '';
  }

  /** Resolves as soon as it has said something that `pattern` matches. */
  async hasSaid(pattern: RegExp): Promise<string> {
    if (this.#program === undefined) throw new Error('pebble was not started');
    return await this.#program.line(pattern);
  }

  /** Of the default chain, or with an index above 0 of an alternate one. */
  root(index: number): Promise<string> {
    return this.#ask(this.#manage(`roots/${index}`));
  }

  /** What it issued with this serial number, in hex: the leaf alone, PEM. */
  async certificate(serial: string): Promise<string> {
    return (await this.#status(serial)).Certificate;
  }

  /** Whether it counts, and if not, why (RFC 5280 §5.3.1). */
  async standing(serial: string): Promise<{ readonly status: string; readonly reason?: number }> {
    const { Status: status, Reason: reason } = await this.#status(serial);
    return { status, ...(reason !== undefined && { reason }) };
  }

  /** From now on renewal information of the certificate is exactly `answer`, which need not make sense. */
  async setRenewalInfo(chain: string, answer: string): Promise<void> {
    const [certificate] = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/) ?? [];
    await this.#ask(
      this.#manage('set-renewal-info/'),
      JSON.stringify({ Certificate: certificate, ARIResponse: answer }),
    );
  }

  async #status(serial: string): Promise<z.infer<typeof certificateStatus>> {
    return certificateStatus.parse(JSON.parse(await this.#ask(this.#manage(`cert-status-by-serial/${serial}`))));
  }

  #manage(path: string): string {
    return `https://${LOOPBACK}:${this.#parts.ports.management}/${path}`;
  }

  async #untilAnswered(url: string, program: Program): Promise<string> {
    using limit = deadline(systemClock, START_MS);
    let hasEnded = false;
    void program.ended.then(() => (hasEnded = true));
    for (;;) {
      const answer = await this.#ask(url).catch(asError);
      if (typeof answer === 'string') return answer;
      if (hasEnded || limit.signal.aborted) throw new Error('pebble does not start', { cause: answer });
      await sleep(systemClock, LOOK_AGAIN_MS);
    }
  }

  async #ask(url: string, body?: string): Promise<string> {
    // RFC 8555 §6.1: a client must say what it is, and Pebble insists.
    const headers = { 'user-agent': 'lanyard-peers' };
    const method = body === undefined ? 'GET' : 'POST';
    const options = { ca: this.#parts.tlsRootPem, method, headers, agent: false, timeout: START_MS };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, options, resolve).on('error', reject).end(body);
    });
    const said = await text(response);
    if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode} ${said}`);
    return said;
  }
}

function settings(
  ports: PebbleParts['ports'],
  files: { readonly certificate: string; readonly privateKey: string },
): object {
  return {
    listenAddress: `${LOOPBACK}:${ports.door}`,
    managementListenAddress: `${LOOPBACK}:${ports.management}`,
    ...files,
    // Nobody listens there unless a test says otherwise: only challenges in the DNS can succeed.
    httpPort: 1,
    tlsPort: 1,
    caaIdentities: [CAA_IDENTITY],
    keyAlgorithm: 'ecdsa',
    // Seconds between looks at a proof or an order: Pebble's own sample has 3 and 5.
    retryAfter: { authz: 1, order: 1 },
    profiles: { default: { description: '90 days', validityPeriod: 7_776_000 } },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
