/** Who is at the other end of a TLS connection: read from the client certificate that the handshake has verified. */
import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { isDeviceId } from '@lanyard/sdk/protocol';
import type { Caller } from './conversation.ts';

/** The caller; undefined when the certificate names no appliance. Its dates were OpenSSL's business: 9999 is fine. */
export function peerOf(socket: TLSSocket, sourceAddress: string): Caller | undefined {
  const certificate = socket.getPeerX509Certificate();
  const deviceId = certificate && commonName(certificate);
  if (certificate === undefined || deviceId === undefined || !isDeviceId(deviceId)) return undefined;
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return { deviceId, identityKeyHash: createHash('sha256').update(spki).digest('hex'), sourceAddress };
}

/** Node writes one attribute a line and escapes line breaks inside values. Two common names are as good as none. */
function commonName(certificate: X509Certificate): string | undefined {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='));
  return names.length === 1 ? names[0]?.slice('CN='.length) : undefined;
}
