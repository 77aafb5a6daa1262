/** One DNS question to one name server: UDP, TCP when the answer is cut (RFC 1035 §4.2, RFC 7766), in bounded time. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

export interface NameServerAddress {
  readonly host: string;
  readonly port: number;
}

/** How questions reach a name server and answers come back; both reject with the signal's reason when it aborts. */
export interface DnsExchange {
  /** The first answer that `isAnswer` takes: others may be for somebody else. */
  byUdp(query: Uint8Array, isAnswer: (message: Buffer) => boolean, signal: AbortSignal): Promise<Buffer>;
  byTcp(query: Uint8Array, signal: AbortSignal): Promise<Buffer>;
}

export function dnsOverSockets(server: NameServerAddress): DnsExchange {
  return {
    byUdp: (query, isAnswer, signal) => askByUdp(server, query, isAnswer, signal),
    byTcp: (query, signal) => askByTcp(server, query, signal),
  };
}

/** Room for the largest UDP payload that anyone advertises. */
const LARGEST_UDP_BYTES = 65_535;

/**
 * Sends `query` by UDP and resolves with the first datagram that `isAnswer` takes; others are ignored, since anybody
 * may send datagrams.
 * @throws the signal's reason, or the socket's error.
 */
function askByUdp(
  server: NameServerAddress,
  query: Uint8Array,
  isAnswer: (message: Buffer) => boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: server.host.includes(':') ? 'udp6' : 'udp4', signal });
    const fail = (error: unknown): void => {
      socket.removeAllListeners('close').close();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    socket.once('error', fail);
    // An aborted socket closes without an error.
    socket.once('close', () => reject(reasonOf(signal)));
    socket.on('message', (message) => {
      if (message.length > LARGEST_UDP_BYTES || !isAnswer(message)) return;
      socket.removeAllListeners('close').close();
      resolve(message);
    });
    // Connected: the kernel then drops datagrams of other senders, and reports refusals.
    socket.once('connect', () => {
      if (!signal.aborted) socket.send(query);
    });
    socket.connect(server.port, server.host);
  });
}

/** The same by TCP, with the length in front. */
function askByTcp(server: NameServerAddress, query: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ ...server, signal });
    socket.once('error', (error) => reject(signal.aborted ? reasonOf(signal) : error));
    socket.once('close', () =>
      reject(new Error('the name server closed the connection before its answer was complete')),
    );
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const received = Buffer.concat(chunks);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)));
      socket.destroy();
    });
    socket.once('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
  });
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the question was abandoned');
}
