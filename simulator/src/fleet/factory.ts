/** The line on which appliances get their identity: the key is made on the appliance, the vendor signs. */
import { writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createIdentityKey } from '@lanyard/sdk';
import type { AdminClient } from '@lanyard/broker';
import { z } from 'zod';

const enrolled = z.object({ name: z.string(), identityCertificate: z.string(), brokerRoot: z.string() });

/** @returns the name that the appliance was given. */
export async function manufacture(admin: AdminClient, deviceId: string, flash: string): Promise<string> {
  const directory = join(flash, 'identity');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const csr = await createIdentityKey(directory, deviceId);
  const answer = enrolled.parse(await admin.post('/v1/appliances', { deviceId, csr }));
  await writeFile(join(directory, 'identity.crt'), answer.identityCertificate);
  await writeFile(join(directory, 'broker-root.crt'), answer.brokerRoot);
  return answer.name;
}
