/** A TLS handshake with the MQTT port, as an appliance begins it; without its identity it ends there. */
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { deadline, describeError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import type { Silence } from './ask-http.ts';

export interface HandshakeWish {
  readonly host: string;
  readonly port: number;
  readonly rootPem: string;
}

export type Handshake =
  | {
      readonly kind: 'certificate';
      readonly notAfterMs: number;
      /** Why whoever trusts that root alone would refuse it. */
      readonly complaint: string | undefined;
    }
  | Silence;

export type ShakeHands = (wish: HandshakeWish) => Promise<Handshake>;

const TIMEOUT_MS = 5_000;

export function handshakes(clock: Clock): ShakeHands {
  return async ({ host, port, rootPem }) => {
    using limit = deadline(clock, TIMEOUT_MS);
    return await new Promise((resolve) => {
      const servername = isIP(host) === 0 ? { servername: host } : {};
      // Looked at, whatever it is: the certificate says more than a refusal.
      const socket = connect({ host, port, ca: [rootPem], rejectUnauthorized: false, ...servername });
      const finish = (handshake: Handshake): void => {
        socket.destroy();
        resolve(handshake);
      };
      limit.signal.addEventListener('abort', () => finish({ kind: 'silence', reason: 'no answer' }), { once: true });
      // A server that wants an identity says so only after its own certificate has been seen.
      socket.once('secureConnect', () => finish(seen(socket)));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        finish({ kind: 'silence', reason: error.code ?? error.message });
      });
    });
  };
}

function seen(socket: TLSSocket): Handshake {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { kind: 'silence', reason: 'it showed no certificate' };
  // Node's types say Error; it is the code.
  const refusal: unknown = socket.authorized ? undefined : socket.authorizationError;
  return {
    kind: 'certificate',
    notAfterMs: certificate.validToDate.getTime(),
    complaint: refusal === undefined ? undefined : typeof refusal === 'string' ? refusal : describeError(refusal),
  };
}
