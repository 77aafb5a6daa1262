/** Pebble as a CA to be measured against: no artificial waits, no refused nonces, every name proved anew. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { systemRandom } from '@lanyard/sdk/kernel';
import { createDoorCertificate } from '../../simulator/src/world/authority/door-certificate.ts';
import { freePort } from '../../simulator/src/world/free-port.ts';
import { peer } from '../support/peers.ts';

/** A CA that runs for one contender alone. */
export interface CaProcess {
  readonly directoryUrl: string;
  /** PEM file with the root of its HTTPS server. */
  readonly rootsPath: string;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** @param directory where its files may lie. */
export async function startPebbleProcess(
  directory: string,
  nameServer: { readonly host: string; readonly port: number },
): Promise<CaProcess> {
  const port = await freePort();
  const door = createDoorCertificate(LOOPBACK, systemRandom);
  const rootsPath = join(directory, 'pebble-root.pem');
  const [certificate, privateKey] = [join(directory, 'pebble.crt'), join(directory, 'pebble.key')];
  await writeFile(rootsPath, door.rootPem);
  await writeFile(certificate, door.certificatePem);
  await writeFile(privateKey, door.privateKeyPem, { mode: 0o600 });
  const config = join(directory, 'pebble.json');
  const listen = { listenAddress: `${LOOPBACK}:${port}`, managementListenAddress: '' };
  const profiles = { default: { description: '90 days', validityPeriod: 7_776_000 } };
  const settings = { ...listen, certificate, privateKey, httpPort: 1, tlsPort: 1, keyAlgorithm: 'ecdsa', profiles };
  // No `retryAfter`: Pebble then leaves the pace of polls to the client.
  await writeFile(config, JSON.stringify({ pebble: settings }));
  const child = spawn(peer('pebble'), ['-config', config, '-dnsserver', `${nameServer.host}:${nameServer.port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' },
  });
  const exited = once(child, 'exit');
  await isListening(child.stdout);
  child.stdout.resume();
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { directoryUrl: `https://${LOOPBACK}:${port}/dir`, rootsPath, stop };
}

/** It says so just before it listens; the contenders try again when they are too quick. */
async function isListening(stdout: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      if (line.includes('Listening on:')) resolve();
    });
    lines.on('close', () => reject(new Error('pebble ended while starting')));
  });
}
