/** How the TLS side of the MQTT server is set up, and what to say when a handshake fails. */
import type { TLSSocket, TlsOptions } from 'node:tls';

export interface ServerCredentials {
  /** The server's own, from the private root that appliances pin. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The private root that identity certificates come from. */
  readonly clientRootPem: string;
}

export function tlsOptions(credentials: ServerCredentials): TlsOptions {
  return {
    cert: credentials.certificatePem,
    key: credentials.keyPem,
    ca: credentials.clientRootPem,
    requestCert: true,
    rejectUnauthorized: true,
    // RFC 9325 § 3.1.1 forbids anything older; old firmware has no TLS 1.3.
    minVersion: 'TLSv1.2',
    // Lets appliances share port 443 with other services (ALPN id registered by IANA); asking for nothing is fine too.
    ALPNProtocols: ['mqtt'],
  };
}

/** What went wrong, for the operator to read. */
export function handshakeFault(error: Error, socket: TLSSocket): string {
  // Types promise an Error; Node sets the code of OpenSSL's verification as a string.
  const verdict: unknown = socket.authorizationError;
  if (typeof verdict === 'string') return `the client certificate is not accepted: ${verdict}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  switch (code) {
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return 'no client certificate';
    case 'ECONNRESET':
      return 'closed during the TLS handshake';
    default:
      return `TLS handshake failed: ${code}`;
  }
}
