/** Waits for the PROXY protocol header on a fresh connection and leaves what follows it unread. */
import type { Socket } from 'node:net';
import { LONGEST_PROXY_HEADER_BYTES, readProxyHeader } from './proxy-protocol.ts';
import type { ProxyHeader } from './proxy-protocol.ts';

export type ReceivedHeader = Exclude<ProxyHeader, { readonly kind: 'incomplete' }>;

/** Calls back once, unless the connection closes first. The caller sets the time limit. */
export function receiveProxyHeader(raw: Socket, callback: (header: ReceivedHeader) => void): void {
  let received: Buffer = Buffer.alloc(0);
  const onReadable = (): void => {
    for (let chunk: unknown = raw.read(); chunk !== null; chunk = raw.read()) {
      if (Buffer.isBuffer(chunk)) received = Buffer.concat([received, chunk]);
    }
    const header = readProxyHeader(received);
    if (header.kind === 'incomplete' && received.length < LONGEST_PROXY_HEADER_BYTES) return;
    raw.removeListener('readable', onReadable);
    if (header.kind === 'incomplete') return callback({ kind: 'malformed', reason: 'a header that is too long' });
    if (header.kind === 'header' && received.length > header.sizeBytes)
      raw.unshift(received.subarray(header.sizeBytes));
    callback(header);
  };
  raw.on('readable', onReadable);
}
