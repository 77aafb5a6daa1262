/** Every option of the SDK: what it is, its default, and what is checked. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { AddressSource } from './address/address-source.ts';
import type { CertificateReader } from './certificate/certificate-reader.ts';
import type { KeyMaker } from './certificate/key-maker.ts';
import type { Identity } from './identity/identity.ts';
import type { Clock } from './kernel/clock.ts';
import { LanyardError } from './kernel/errors.ts';
import type { Logger } from './kernel/logger.ts';
import type { Random } from './kernel/random.ts';
import { readCertificates } from './link/broker-trust.ts';
import { parseBrokerUrl } from './link/broker-url.ts';
import type { Connect } from './link/dial-broker.ts';
import type { Link } from './link/link.ts';
import { LIMITS } from './protocol/limits.ts';
import { isDeviceId } from './protocol/topics.ts';
import type { Vault } from './vault/vault.ts';

export type ApplianceOptions = Settings & (Connection | ReadyLink);

interface Connection {
  /** Where the broker is, `mqtts://host:port`; several are tried in turn. */
  readonly broker: string | readonly string[];
  /** Who the appliance is, or the folder with `identity.key`, `identity.crt` and `broker-root.crt`. */
  readonly identity: Identity | string;
  /** Makes the hop below TLS, for instance through a proxy. Default: TCP straight to the broker. */
  readonly connect?: Connect;
  readonly link?: never;
}

/** For tests and for transports of one's own: a link instead of broker and identity. */
interface ReadyLink {
  readonly link: Link;
  readonly broker?: never;
  readonly identity?: never;
  readonly connect?: never;
}

interface Settings {
  /** Where keys and certificates are kept, or the folder for them: of their own, others are kept out of it. */
  readonly vault: Vault | string;
  /** PEM roots that must have issued the appliance's certificate. Default: those that come with Node. */
  readonly trustedRoots?: string | readonly string[];
  /** Default: the LAN addresses of the machine, watched. */
  readonly addresses?: AddressSource;
  /** Pino fits as it is. Default: silence. */
  readonly logger?: Logger;
  /** Shown to the operator, at most 64 characters. */
  readonly firmwareVersion?: string;
  /** Shown to the operator, at most 64 characters. */
  readonly model?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  /** Makes keys and signing requests. Default: P-256 by the platform's WebCrypto. */
  readonly keys?: KeyMaker;
  /**
   * Reads keys and certificates and decides what may be installed: whoever replaces it replaces every check. For
   * simulations without cryptography. Default: X.509 by Node's OpenSSL.
   */
  readonly certificates?: CertificateReader;
}

type OptionName = keyof Settings | keyof Connection | keyof ReadyLink;

interface Rule {
  readonly isRequired: boolean;
  isValid(value: unknown): boolean;
  /** Completes "option x must be …". */
  readonly form: string;
}

/** Firmware is often plain JavaScript, so what TypeScript promises is looked at again. */
const RULES: Readonly<Record<OptionName, Rule>> = {
  broker: { isRequired: false, isValid: isBrokers, form: 'mqtts://host:port, or a list of 1 to 8 such' },
  identity: {
    isRequired: false,
    isValid: (value) => isPath(value) || isIdentity(value),
    form: 'the path of a folder, or an Identity: a device id, and key, certificate and root as PEM that belong together',
  },
  connect: {
    isRequired: false,
    isValid: (value) => typeof value === 'function',
    form: 'a function of host and port that returns a stream',
  },
  link: { isRequired: false, isValid: has('start', 'stop', 'onEvent', 'send', 'setReconnectSpread'), form: 'a Link' },
  vault: {
    isRequired: true,
    isValid: (value) => isPath(value) || has('read', 'write', 'remove')(value),
    form: 'the path of a folder, or a Vault',
  },
  trustedRoots: { isRequired: false, isValid: isRoots, form: 'certificates in PEM, one text or a list' },
  addresses: {
    isRequired: false,
    isValid: has('start', 'stop', 'current', 'onChange'),
    form: 'an AddressSource, such as fixedAddresses(…)',
  },
  logger: { isRequired: false, isValid: has('debug', 'info', 'warn', 'error', 'child'), form: 'a logger like pino' },
  firmwareVersion: { isRequired: false, isValid: isLabel, form: `a text of 1 to ${LIMITS.labelCharacters} characters` },
  model: { isRequired: false, isValid: isLabel, form: `a text of 1 to ${LIMITS.labelCharacters} characters` },
  clock: { isRequired: false, isValid: has('nowMs', 'monotonicMs', 'setTimer'), form: 'a Clock' },
  random: { isRequired: false, isValid: has('bytes', 'uniform'), form: 'a Random' },
  keys: { isRequired: false, isValid: has('makeKeyPair', 'makeSigningRequest'), form: 'a KeyMaker' },
  certificates: { isRequired: false, isValid: has('read', 'keyHash', 'verify'), form: 'a CertificateReader' },
};

/** @throws LanyardError `option-invalid`, naming the first option that is missing, wrong or unknown. */
export function checkOptions(options: unknown): void {
  if (!isObject(options)) throw new LanyardError('option-invalid', { message: 'the options must be an object' });
  const given = new Map(Object.entries(options).filter(([, value]) => value !== undefined));
  for (const name of given.keys()) {
    if (!Object.hasOwn(RULES, name)) throw invalid(name, 'is not an option');
  }
  for (const [name, rule] of Object.entries(RULES)) {
    if (!given.has(name)) {
      if (rule.isRequired) throw invalid(name, `is missing: it must be ${rule.form}`);
    } else if (!rule.isValid(given.get(name))) throw invalid(name, `must be ${rule.form}`);
  }
  if (given.has('link')) {
    const spare = (['broker', 'identity', 'connect'] as const).find((name) => given.has(name));
    if (spare) throw invalid(spare, 'has no meaning beside the option link');
    return;
  }
  for (const name of ['broker', 'identity'] as const) {
    if (!given.has(name)) throw invalid(name, `is missing: it must be ${RULES[name].form}`);
  }
}

function invalid(name: string, what: string): LanyardError {
  return new LanyardError('option-invalid', { message: `option ${name} ${what}`, details: { option: name } });
}

/** A broker and its stand-ins; each costs a connection attempt before the next is tried. */
const MOST_BROKERS = 8;

function isBrokers(value: unknown): boolean {
  const urls: readonly unknown[] = Array.isArray(value) ? value : [value];
  return urls.length >= 1 && urls.length <= MOST_BROKERS && urls.every(isBrokerUrl);
}

function isBrokerUrl(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    parseBrokerUrl(value);
    return true;
  } catch (error) {
    if (LanyardError.is(error, 'option-invalid')) return false;
    throw error;
  }
}

/** Looked into now: at the first certificate, months later, nobody would be there to read the error. */
function isRoots(value: unknown): boolean {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.length > 0 && texts.every(isCertificates);
}

function isCertificates(value: unknown): boolean {
  return typeof value === 'string' && holds(() => readCertificates(value).length > 0);
}

function isIdentity(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { deviceId, certificatePem, keyPem, brokerRootPem } = value;
  if (typeof deviceId !== 'string' || !isDeviceId(deviceId) || !isCertificates(brokerRootPem)) return false;
  if (typeof certificatePem !== 'string' || typeof keyPem !== 'string') return false;
  return holds(() => new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem)));
}

function holds(isFine: () => boolean): boolean {
  try {
    return isFine();
  } catch {
    return false;
  }
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isLabel(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= LIMITS.labelCharacters;
}

function has(...methods: readonly string[]): (value: unknown) => boolean {
  return (value) => isObject(value) && methods.every((method) => typeof value[method] === 'function');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
