/** The line on which light clients get their identity. */
import type { AdminClient } from '@lanyard/broker';
import { z } from 'zod';
import type { LightCredentials } from './light-line.ts';
import { identityRequest, makeLightKey } from '../../fleet/light-request.ts';

const enrolled = z.object({ name: z.string(), identityCertificate: z.string(), brokerRoot: z.string() });

/** The broker's root is the same for all of them, and there can be tens of thousands: kept once. */
const roots = new Map<string, string>();

export async function enrolLight(
  admin: AdminClient,
  deviceId: string,
): Promise<{ readonly name: string; readonly credentials: LightCredentials }> {
  const key = makeLightKey();
  const csr = identityRequest(key, deviceId);
  const { name, identityCertificate, brokerRoot } = enrolled.parse(
    await admin.post('/v1/appliances', { deviceId, csr }),
  );
  const brokerRootPem = roots.get(brokerRoot) ?? brokerRoot;
  roots.set(brokerRootPem, brokerRootPem);
  const keyPem = key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { name, credentials: { keyPem, certificatePem: identityCertificate, brokerRootPem } };
}
