/** Asks the broker who is there with a certificate that it has confirmed: the appliances' own word is not enough. */
import type { AdminClient } from '@lanyard/broker';
import { z } from 'zod';

const page = z.object({
  appliances: z.array(
    z.object({
      deviceId: z.string(),
      isConnected: z.boolean(),
      certificate: z.object({ installedAt: z.string().optional() }).optional(),
    }),
  ),
});

/** The most that the admin API gives at once. */
const PAGE = 1000;

export interface RollCall {
  readonly connected: number;
  /** Connected, and the broker knows that the certificate is installed. */
  readonly acknowledged: number;
}

export async function rollCall(admin: AdminClient): Promise<RollCall> {
  const call = { connected: 0, acknowledged: 0 };
  for (let after: string | undefined = ''; after !== undefined;) {
    const query: string = after === '' ? '' : `&after=${after}`;
    const { appliances } = page.parse(await admin.get(`/v1/appliances?limit=${PAGE}${query}`));
    for (const { isConnected, certificate } of appliances) {
      if (!isConnected) continue;
      call.connected += 1;
      if (certificate?.installedAt !== undefined) call.acknowledged += 1;
    }
    after = appliances.length < PAGE ? undefined : appliances.at(-1)?.deviceId;
  }
  return call;
}
