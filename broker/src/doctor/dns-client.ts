/** Questions over sockets: UDP, repeated once, and TCP when it is asked for or the answer does not fit. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { deadline } from '@lanyard/sdk/kernel';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { AskDns, DnsOutcome, DnsSilence } from './ask-dns.ts';
import { readMessage, writeQuestion } from './read-message.ts';
import type { AskedMessage, ReadMessage } from './read-message.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface DnsClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Where the server of that address listens. Default: at port 53, unless the address says another. */
  readonly endpointOf?: (server: string) => Endpoint;
}

/** Ten times what a far server takes; a resolver may have to ask several others. Two tries stay below 5 s. */
const TRY_MS = 2_200;
const TRIES = 2;

export function dnsClient({ clock, random, endpointOf = readEndpoint }: DnsClientOptions): AskDns {
  return async (question) => {
    const endpoint = endpointOf(question.server);
    const asked = writeQuestion(question, random);
    if (question.byTcp) return outcomeOf(await within(clock, (signal) => askByTcp(endpoint, asked, signal)));
    let last: Heard = SILENT;
    for (let tries = 0; tries < TRIES && isWorthRepeating(last); tries++) {
      last = await within(clock, (signal) => askByUdp(endpoint, asked, signal));
    }
    if (!('reply' in last) || !last.isTruncated) return outcomeOf(last);
    return outcomeOf(await within(clock, (signal) => askByTcp(endpoint, asked, signal)));
  };
}

/** `1.1.1.1`, `1.1.1.1:53`, `::1`, `[::1]`, `[::1]:53`. */
export function readEndpoint(server: string): Endpoint {
  if (isIPv6(server)) return { host: server, port: 53 };
  const url = URL.parse(`dns://${server}`);
  const host = url?.hostname.replaceAll(/[[\]]/g, '') ?? server;
  return { host, port: Number(url?.port || 53) };
}

type Heard = Exclude<ReadMessage, undefined> | DnsSilence;

const SILENT: DnsSilence = { kind: 'silence', reason: 'no answer', isUnroutable: false };

function isWorthRepeating(heard: Heard): boolean {
  return !('reply' in heard) && !heard.isUnroutable;
}

function outcomeOf(heard: Heard): DnsOutcome {
  return 'reply' in heard ? heard.reply : heard;
}

async function within(clock: Clock, work: (signal: AbortSignal) => Promise<Heard>): Promise<Heard> {
  using limit = deadline(clock, TRY_MS);
  return await work(limit.signal);
}

function askByUdp({ host, port }: Endpoint, asked: AskedMessage, signal: AbortSignal): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const finish = (heard: Heard): void => {
      signal.removeEventListener('abort', onLate);
      socket.removeAllListeners('message');
      socket.close();
      resolve(heard);
    };
    const onLate = (): void => finish(SILENT);
    signal.addEventListener('abort', onLate, { once: true });
    socket.once('error', (error) => finish(silenceOf(error)));
    socket.on('message', (message) => {
      const read = readMessage(message, asked);
      if (read) finish(read);
    });
    // Connected, so that a closed port is told at once, and nobody else's packet is taken.
    socket.connect(port, host, () => socket.send(asked.bytes));
  });
}

function askByTcp({ host, port }: Endpoint, asked: AskedMessage, signal: AbortSignal): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    const finish = (heard: Heard): void => {
      signal.removeEventListener('abort', onLate);
      socket.destroy();
      resolve(heard);
    };
    const onLate = (): void => finish(SILENT);
    signal.addEventListener('abort', onLate, { once: true });
    socket.on('error', (error) => finish(silenceOf(error)));
    socket.on('end', () => finish({ ...SILENT, reason: 'the connection ended without an answer' }));
    socket.on('connect', () => socket.write(Buffer.concat([lengthOf(asked.bytes), asked.bytes])));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const read = readMessage(received.subarray(2, 2 + received.readUInt16BE(0)), asked);
      finish(read ?? { ...SILENT, reason: 'an answer to something else' });
    });
  });
}

/** RFC 1035 §4.2.2: two bytes before each message. */
function lengthOf(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return length;
}

/** No route, no network, no such family on this machine. */
const UNROUTABLE: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT']);

function silenceOf(error: Error): DnsSilence {
  const code = 'code' in error ? String(error.code) : '';
  return { kind: 'silence', reason: code || error.message, isUnroutable: UNROUTABLE.has(code) };
}
