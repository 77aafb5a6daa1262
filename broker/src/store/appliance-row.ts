/** Rows of appliances, read back into what the domain knows: nothing is believed because it is ours. */
import { z } from 'zod';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Appliance, LastHello } from '../fleet/appliance.ts';

/** @throws LanyardError `store-failed` when the row does not hold an appliance. */
export function applianceFrom(row: unknown, addresses: unknown): Appliance {
  try {
    const found = APPLIANCE_ROW.parse(row);
    return {
      deviceId: found.device_id,
      zone: found.zone,
      label: found.label,
      identityKeyHash: found.identity_key_hash,
      status: found.status,
      enrolledAtMs: found.enrolled_at_ms,
      published: ADDRESSES.parse(addresses).map(({ address }) => address),
      ...(found.last_hello === null ? {} : { lastHello: helloFrom(found.last_hello) }),
    };
  } catch (cause) {
    throw new LanyardError('store-failed', { message: 'a stored appliance is unreadable', cause });
  }
}

const ADDRESSES = z.array(z.object({ address: z.string() }));

const APPLIANCE_ROW = z.object({
  device_id: z.string(),
  zone: z.string(),
  label: z.string(),
  identity_key_hash: z.string(),
  status: z.enum(['active', 'disabled']),
  enrolled_at_ms: z.number(),
  last_hello: z.string().nullable(),
});

function helloFrom(json: string): LastHello {
  const { atMs, sdkVersion, firmwareVersion, model, rebinding } = HELLO.parse(JSON.parse(json));
  return {
    atMs,
    sdkVersion,
    ...(firmwareVersion === undefined ? {} : { firmwareVersion }),
    ...(model === undefined ? {} : { model }),
    rebinding,
  };
}

const HELLO = z.object({
  atMs: z.number(),
  sdkVersion: z.string(),
  firmwareVersion: z.string().optional(),
  model: z.string().optional(),
  rebinding: z.enum(['ok', 'blocked', 'unknown']),
});
