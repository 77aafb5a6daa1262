/** Where a broker is, as an option writes it. */
import { LanyardError } from '../kernel/errors.ts';

export interface BrokerAddress {
  readonly url: string;
  /** A DNS name, or an IP literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** IANA's port for MQTT over TLS. */
const SECURE_MQTT_PORT = 8883;

/** @throws LanyardError `option-invalid` unless it is `mqtts://host` or `mqtts://host:port`. */
export function parseBrokerUrl(url: string): BrokerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPlain =
    parsed !== undefined &&
    parsed.protocol === 'mqtts:' &&
    parsed.hostname !== '' &&
    parsed.port !== '0' &&
    ['', '/'].includes(parsed.pathname) &&
    [parsed.username, parsed.password, parsed.search, parsed.hash].every((part) => part === '');
  if (!isPlain) throw new LanyardError('option-invalid', { message: 'a broker is given as mqtts://host:port' });
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return { url, host, port: parsed.port === '' ? SECURE_MQTT_PORT : Number(parsed.port) };
}
