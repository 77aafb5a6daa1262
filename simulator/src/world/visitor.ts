/** Somebody in an appliance's LAN who types its name into a browser. */
import { request } from 'node:https';
import { describeError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { askForAddresses } from './stub-resolver.ts';
import type { Endpoint, Lan } from './lan.ts';

export interface Visit {
  readonly name: string;
  /** What the name resolved to. */
  readonly addresses: readonly string[];
  /** The page came over TLS with a certificate for this name that chains to a trusted root. */
  readonly hasPadlock: boolean;
  readonly page?: string;
  /** SHA-256 of the leaf that was shown, lower-case hex. */
  readonly fingerprint?: string;
  /** What the browser would complain about. */
  readonly complaint?: string;
}

export interface VisitorParts {
  readonly nameServer: Endpoint;
  /** PEM of the roots that browsers trust in this world. */
  readonly trustedRoots: readonly string[];
  readonly clock: Clock;
}

/** A person waits no longer. */
const PATIENCE_MS = 10_000;
/** Pages of appliances are small here. */
const LARGEST_PAGE_BYTES = 64 * 1024;

export async function visit(parts: VisitorParts, lan: Lan, name: string): Promise<Visit> {
  let addresses: readonly string[] = [];
  try {
    addresses = await askForAddresses(parts.nameServer, name, parts.clock);
    const endpoint = addresses.map((address) => lan.reach(address)).find((found) => found !== undefined);
    if (endpoint === undefined) {
      const complaint = addresses.length === 0 ? 'the name does not resolve' : `nobody at ${addresses.join(', ')}`;
      return { name, addresses, hasPadlock: false, complaint };
    }
    const { page, fingerprint } = await browse(parts, endpoint, name);
    return { name, addresses, hasPadlock: true, page, fingerprint };
  } catch (error) {
    return { name, addresses, hasPadlock: false, complaint: describeError(error) };
  }
}

/** Gets the page as a browser does: verified chain, verified name, nothing taken on trust. */
function browse(
  { trustedRoots }: VisitorParts,
  { host, port }: Endpoint,
  name: string,
): Promise<{ page: string; fingerprint: string }> {
  return new Promise((resolve, reject) => {
    const options = { host, port, servername: name, headers: { host: name }, path: '/', agent: false as const };
    const trust = { ca: [...trustedRoots], rejectUnauthorized: true, minVersion: 'TLSv1.2' as const };
    const call = request({ ...options, ...trust, timeout: PATIENCE_MS }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const fingerprint = fingerprintOf(response.socket);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > LARGEST_PAGE_BYTES) response.destroy(new Error('the page is too large'));
        else chunks.push(chunk);
      });
      response.on('end', () => resolve({ page: Buffer.concat(chunks).toString('utf8'), fingerprint }));
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
    call.on('error', reject);
    call.end();
  });
}

function fingerprintOf(socket: object): string {
  if (!('getPeerX509Certificate' in socket) || typeof socket.getPeerX509Certificate !== 'function') return '';
  const certificate: unknown = socket.getPeerX509Certificate();
  const hasFingerprint = typeof certificate === 'object' && certificate !== null && 'fingerprint256' in certificate;
  return hasFingerprint ? String(certificate.fingerprint256).replaceAll(':', '').toLowerCase() : '';
}
