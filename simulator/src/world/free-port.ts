/** Ports for servers that must come back on the same one after a restart. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { LanyardError, systemRandom } from '@lanyard/sdk/kernel';

/**
 * Between the well-known ports and those that Linux gives to outgoing connections (ip_local_port_range, from 32768):
 * one of those could take the port while its server is away for a restart.
 */
const FIRST_PORT = 20_000;
const PORTS = 12_768;
/** Half of the ports could be taken, and this many misses in a row would still be a wonder. */
const MOST_TRIES = 100;

/** A port of 127.0.0.1 that is free for TCP and UDP now. @throws LanyardError `listener-failed`. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const port = FIRST_PORT + Math.floor(systemRandom.uniform() * PORTS);
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
  throw new LanyardError('listener-failed', { message: 'no free port was found' });
}

async function isFreeForTcp(port: number): Promise<boolean> {
  const tcp = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    tcp.once('error', () => resolve(false));
    tcp.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!isFree) return false;
  tcp.close();
  await once(tcp, 'close');
  return true;
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const udp = createSocket('udp4');
  return await new Promise((resolve) => {
    udp.once('error', () => resolve(false));
    udp.bind(port, '127.0.0.1', () => udp.close(() => resolve(true)));
  });
}
