/** Pebble, the reference CA of Let's Encrypt, as the CA of a test, looking straight at our own name server. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { systemClock, systemRandom, deadline, sleep } from '@lanyard/sdk/kernel';
import type { TownAuthority } from '@lanyard/simulator';
import { createDoorCertificate } from '../../simulator/src/world/authority/door-certificate.ts';
import { freePort } from '../../simulator/src/world/free-port.ts';
import type { Endpoint } from '../../simulator/src/world/lan.ts';
import { peer } from './peers.ts';

const LOOPBACK = '127.0.0.1';
const START_MS = 20_000;
const LOOK_AGAIN_MS = 50;

/**
 * Nonce rejection (5 %) and reuse of proofs (50 %) stay at Pebble's defaults.
 * @param logPath where everything goes that Pebble says.
 */
export async function startPebble(nameServer: Endpoint, logPath: string): Promise<TownAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-pebble-'));
  const ports = { door: await freePort(), management: await freePort() };
  const { rootPem: tlsRootPem, ...door } = createDoorCertificate(LOOPBACK, systemRandom);
  const files = { certificate: join(directory, 'door.crt'), privateKey: join(directory, 'door.key') };
  await writeFile(files.certificate, door.certificatePem);
  await writeFile(files.privateKey, door.privateKeyPem, { mode: 0o600 });
  const config = join(directory, 'pebble.json');
  await writeFile(config, JSON.stringify({ pebble: settings(ports, files) }));

  const child = spawn(peer('pebble'), ['-config', config, '-dnsserver', `${nameServer.host}:${nameServer.port}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    // Its validators sleep up to 15 seconds before they look: that tests patience, not correctness.
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1' },
  });
  child.stdout.pipe(createWriteStream(logPath));
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const rootPem = await untilAnswered(`https://${LOOPBACK}:${ports.management}/roots/0`, tlsRootPem, child);
    const directoryUrl = `https://${LOOPBACK}:${ports.door}/dir`;
    await untilAnswered(directoryUrl, tlsRootPem, child);
    return { directoryUrl, tlsRootPem, rootPem, caaIdentity: CAA_IDENTITY, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const CAA_IDENTITY = 'pebble.letsencrypt.org';

function settings(
  ports: { readonly door: number; readonly management: number },
  files: { readonly certificate: string; readonly privateKey: string },
): object {
  return {
    listenAddress: `${LOOPBACK}:${ports.door}`,
    managementListenAddress: `${LOOPBACK}:${ports.management}`,
    ...files,
    // Nobody listens there: only dns-01 can succeed.
    httpPort: 1,
    tlsPort: 1,
    caaIdentities: [CAA_IDENTITY],
    keyAlgorithm: 'ecdsa',
    // Seconds between looks at a proof or an order: Pebble's own sample has 3 and 5.
    retryAfter: { authz: 1, order: 1 },
    profiles: { default: { description: '90 days', validityPeriod: 7_776_000 } },
  };
}

async function untilAnswered(url: string, tlsRootPem: string, child: ChildProcess): Promise<string> {
  using limit = deadline(systemClock, START_MS);
  for (;;) {
    const answer = await get(url, tlsRootPem).catch(asError);
    if (typeof answer === 'string') return answer;
    if (child.exitCode !== null || limit.signal.aborted) throw new Error('pebble does not start', { cause: answer });
    await sleep(systemClock, LOOK_AGAIN_MS);
  }
}

async function get(url: string, ca: string): Promise<string> {
  // RFC 8555 §6.1: a client must say what it is, and Pebble insists.
  const headers = { 'user-agent': 'lanyard-peers' };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { ca, headers, agent: false, timeout: START_MS }, resolve).on('error', reject).end();
  });
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode} ${body}`);
  return body;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
