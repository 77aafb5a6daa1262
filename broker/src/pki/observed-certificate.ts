/** Reads a certificate that a stranger may have made. It is read for what it claims; nothing of it is verified. */
import { X509Certificate } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import { AltName, Certificate } from 'pkijs';
import type { ObservedCertificate } from '../certificates/foreign/observed-certificate.ts';
import { keyHashOf } from './p256-key.ts';

/** What a log takes in a request is bounded likewise; certificates of a hundred names have 8 KiB. */
const MOST_CHARACTERS = 65_536;
const LONGEST_ISSUER = 200;
/** RFC 1035 §2.3.4, and room for what is wrong with it. */
const LONGEST_NAME = 300;

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/;
const SUBJECT_ALT_NAME = '2.5.29.17';
const COMMON_NAME = '2.5.4.3';
/** RFC 5280 §4.2.1.6: dNSName is [2]. */
const DNS_NAME = 2;

/** @throws LanyardError `certificate-unreadable`. */
export function readObservedCertificate(pem: string): ObservedCertificate {
  if (pem.length > MOST_CHARACTERS) throw unreadable(`it has more than ${MOST_CHARACTERS} characters`);
  const [block] = PEM_BLOCK.exec(pem) ?? [];
  if (block === undefined) throw unreadable('there is no PEM block of a certificate');
  try {
    return factsOf(new X509Certificate(block));
  } catch (cause) {
    throw LanyardError.is(cause) ? cause : unreadable('it is not an X.509 certificate', cause);
  }
}

function factsOf(certificate: X509Certificate): ObservedCertificate {
  // OpenSSL reads only keys that it knows, and writes alternative names as one text: structure comes from pkijs.
  const structure = Certificate.fromBER(Uint8Array.from(certificate.raw).buffer);
  const [notBeforeMs, notAfterMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  if (!Number.isFinite(notBeforeMs) || !Number.isFinite(notAfterMs)) throw unreadable('its dates are none');
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    names: [...new Set([...alternativeNamesOf(structure), ...commonNamesOf(structure)])],
    serial: certificate.serialNumber.toLowerCase(),
    issuer: printable(certificate.issuer.replaceAll('\n', ', ')).slice(0, LONGEST_ISSUER),
    keyHash: keyHashOf(new Uint8Array(structure.subjectPublicKeyInfo.toSchema().toBER(false))),
    notBeforeMs,
    notAfterMs,
  };
}

function alternativeNamesOf({ extensions = [] }: Certificate): readonly string[] {
  return extensions.flatMap(({ extnID, parsedValue }) => {
    if (extnID !== SUBJECT_ALT_NAME) return [];
    // RFC 5280 §4.2.1.6: there is one at least. What cannot be parsed comes as none, and must not pass for that.
    if (!(parsedValue instanceof AltName) || parsedValue.altNames.length === 0)
      throw unreadable('its alternative names are malformed');
    return parsedValue.altNames.flatMap(({ type, value }) => (type === DNS_NAME ? nameOf(value) : []));
  });
}

/** Browsers pass over it, but a CA that put our name there has certified it all the same. */
function commonNamesOf({ subject }: Certificate): readonly string[] {
  const names = subject.typesAndValues.flatMap(({ type, value }) =>
    type === COMMON_NAME ? nameOf(value.valueBlock.value) : [],
  );
  // That of a person or a company is no DNS name.
  return names.filter((name) => /^[^ ]+\.[^ ]+$/.test(name));
}

function nameOf(value: unknown): string {
  if (typeof value !== 'string') throw unreadable('a name of it is none');
  const name = printable(value).toLowerCase().replace(/\.$/, '');
  if (name.length > LONGEST_NAME) throw unreadable(`a name of it has more than ${LONGEST_NAME} characters`);
  return name;
}

/** It is shown in a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}

function unreadable(why: string, cause?: unknown): LanyardError {
  return new LanyardError('certificate-unreadable', { message: `what was observed cannot be read: ${why}`, cause });
}
