/** The request for the identity certificate, which the vendor's private device CA answers. */
import type { CryptoEngine } from 'pkijs';
import { LanyardError } from '../kernel/errors.ts';
import { isDeviceId } from '../protocol/topics.ts';
import { makeCertificationRequest } from './certification-request.ts';

export interface IdentityRequestContents {
  /** PKCS#8 PEM of a P-256 key. */
  readonly keyPem: string;
  /** Becomes the certificate's common name, the MQTT client id and the user name. */
  readonly deviceId: string;
}

/** PEM of a PKCS#10 request whose subject is CN=deviceId. */
export async function makeIdentityRequest(
  { keyPem, deviceId }: IdentityRequestContents,
  engine?: CryptoEngine,
): Promise<string> {
  if (!isDeviceId(deviceId)) throw new LanyardError('appliance-id-invalid');
  const der = await makeCertificationRequest({ keyPem, commonName: deviceId }, engine);
  // RFC 7468 §7: base64 in lines of 64.
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n');
}
