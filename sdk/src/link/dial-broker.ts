/** Opens the mutually authenticated TLS connection to a broker, and lets nothing through before the broker is proved. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Socket, connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { Identity } from '../identity/identity.ts';
import { LanyardError, describeError } from '../kernel/errors.ts';
import { findDistrust, readCertificates } from './broker-trust.ts';
import type { BrokerAddress } from './broker-url.ts';

/** Makes the hop below TLS: through a proxy, or through a pretend network in tests. */
export type Connect = (host: string, port: number) => Duplex;

export interface Call {
  readonly address: BrokerAddress;
  readonly identity: Identity;
  readonly nowMs: number;
  readonly clockFloorMs: number;
  readonly signal: AbortSignal;
  readonly connect?: Connect | undefined;
}

/** HTTPS' port, often the only one open: there a broker must know by ALPN that MQTT is meant. */
const SHARED_PORT = 443;
/** No broker has reason to send more. */
const LONGEST_CHAIN = 8;
/**
 * OpenSSL judges by the system's clock. Dates are judged by `findDistrust`, which knows when that clock is wrong.
 * OpenSSL reports one fault of several, so a date can hide another one: that is why `findDistrust` checks names and
 * signatures itself, and why only path lengths and name constraints of the private CA go unchecked at a wrong clock.
 */
const DATE_VERDICTS = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);
/** TLS alerts by which a server says that it does not like the client's certificate (RFC 8446 §6.2). */
const CERTIFICATE_ALERT = /_ALERT_(UNKNOWN_CA|ACCESS_DENIED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+)$/;

/** @throws LanyardError `broker-unreachable`, `broker-untrusted` or `broker-refused`. */
export async function dialBroker(call: Call): Promise<TLSSocket> {
  const { host, port } = call.address;
  const hop = asStream((call.connect ?? connectTcp)(host, port));
  // For the hop's whole life: its errors also arrive at the TLS socket, and an unheard one would end the process.
  hop.on('error', () => {});
  let socket: TLSSocket | undefined;
  try {
    if (hop instanceof Socket && hop.connecting) await once(hop, 'connect', { signal: call.signal });
    socket = connectTls({ ...tlsOptions(call), socket: hop });
    socket.on('error', () => {});
    await Promise.race([once(socket, 'secureConnect', { signal: call.signal }), closed(socket)]);
    demandTrust(socket, call);
    return socket;
  } catch (error) {
    socket?.destroy();
    hop.destroy();
    throw asBrokerError(call.signal.aborted ? call.signal.reason : error);
  }
}

/** What a failed connection means to the appliance. */
export function asBrokerError(error: unknown): LanyardError {
  if (LanyardError.is(error)) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (CERTIFICATE_ALERT.test(code)) {
    const message = 'the broker did not accept the identity certificate';
    return new LanyardError('broker-refused', { message, cause: error });
  }
  return new LanyardError('broker-unreachable', { message: describeError(error), cause: error });
}

/** Firmware is often plain JavaScript, where an async function is easily given. */
function asStream(hop: Duplex): Duplex {
  const given: unknown = hop;
  // Not instanceof: streams of other packages have classes of their own.
  if (typeof given === 'object' && given !== null && 'pipe' in given) return hop;
  const what = given instanceof Promise ? 'a promise' : typeof given;
  throw new LanyardError('option-invalid', { message: `option connect must return a stream at once, not ${what}` });
}

function connectTcp(host: string, port: number): Duplex {
  return connect({ host, port, noDelay: true });
}

function tlsOptions({ address, identity }: Call): ConnectionOptions {
  return {
    key: identity.keyPem,
    cert: identity.certificatePem,
    ca: identity.brokerRootPem,
    minVersion: 'TLSv1.2',
    // Not a switch to insecurity: `demandTrust` decides instead, because OpenSSL would refuse at a wrong clock. What a
    // false broker gets to see before that is the identity certificate, which is no secret, and never a byte of MQTT.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // RFC 6066 §3: no IP literals in SNI.
    ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
    ...(address.port === SHARED_PORT ? { ALPNProtocols: ['mqtt'] } : {}),
  };
}

/** A hop that ends during the handshake does so without an error of its own. */
async function closed(socket: TLSSocket): Promise<never> {
  await once(socket, 'close');
  throw new Error('the connection was closed during the TLS handshake');
}

function demandTrust(socket: TLSSocket, { address, identity, nowMs, clockFloorMs }: Call): void {
  // Node's type says Error, what it holds is the code.
  const verdict = socket.authorized ? '' : String(socket.authorizationError);
  const distrust = findDistrust({
    host: address.host,
    chain: presentedChain(socket.getPeerCertificate(true)),
    roots: readCertificates(identity.brokerRootPem),
    nowMs,
    clockFloorMs,
  });
  const isFine = verdict === '' || DATE_VERDICTS.has(verdict);
  if (distrust === undefined && isFine) return;
  const message = `the broker is not to be trusted: ${distrust ?? verdict}`;
  throw new LanyardError('broker-untrusted', { message, details: { verdict } });
}

function presentedChain(first: DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<DetailedPeerCertificate>();
  // Typed as always there; without a certificate Node gives an empty object, and a root is its own issuer.
  let each: DetailedPeerCertificate | undefined = first;
  while (each?.raw !== undefined && !seen.has(each) && chain.length < LONGEST_CHAIN) {
    seen.add(each);
    chain.push(new X509Certificate(each.raw));
    each = each.issuerCertificate;
  }
  return chain;
}
