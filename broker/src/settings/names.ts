/** Settings that are names or addresses, wherever they stand. */
import { z } from 'zod';

export const host = z.string().min(1).max(253);
export const port = z.int().min(0).max(65_535);
export const dnsName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/,
    'must be a DNS name in lower case, without a trailing dot',
  );
export const address = z.union([z.ipv4(), z.ipv6()]);
