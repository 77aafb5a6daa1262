/** The settings of the name server, and of those that follow it. */
import { z } from 'zod';
import { TSIG_ALGORITHMS } from '../tsig/tsig-key.ts';
import { address, host, port } from './names.ts';

/** It is shared with programs that take any name; these letters they all write alike. */
const keyName = z
  .string()
  .max(200)
  .regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/, 'must be letters in lower case, digits, hyphens and dots');

export const dns = z
  .strictObject({
    listen: z
      .array(z.strictObject({ host, port }))
      .min(1)
      .max(16)
      .default([{ host: '0.0.0.0', port: 53 }])
      .describe('Addresses that DNS is served on, UDP and TCP.'),
    rateLimit: z
      .strictObject({
        perSecond: z.int().min(0).max(1_000_000).default(200).describe('Answers with records. 0: no limit at all.'),
        errorsPerSecond: z.int().min(1).max(1_000_000).default(100).describe('Negative answers and errors.'),
        slip: z.int().min(0).max(100).default(2).describe('Every so many suppressed answers one goes out truncated.'),
        exempt: z
          .array(z.union([address, z.cidrv4(), z.cidrv6()]))
          .max(64)
          .default(['127.0.0.0/8', '::1'])
          .describe('Addresses and CIDR blocks without a limit. Nobody can forge loopback from outside.'),
      })
      .prefault({})
      .describe('How many answers one network (/24, /56) gets over UDP, by zone.'),
    cookieSecretFile: z
      .string()
      .optional()
      .describe('Secrets of DNS cookies, for several name servers. Default: one is made in the data directory.'),
    keys: z
      .array(
        z.strictObject({
          name: keyName,
          algorithm: z.enum(TSIG_ALGORITHMS).default('hmac-sha256'),
          secretFile: z.string().min(1),
        }),
      )
      .max(64)
      .default([])
      .describe('TSIG keys that secondaries share with the broker; the file holds the secret in base64.'),
    secondaries: z
      .array(z.strictObject({ address, port: port.min(1).default(53), key: keyName }))
      .max(16)
      .default([])
      .describe('Name servers that follow by NOTIFY and transfer. CAs look when all of them serve a challenge.'),
    rememberedChanges: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(10_000)
      .describe('A secondary that is further behind gets the whole zone. One takes some 500 bytes.'),
  })
  .superRefine(checkKeys);

interface SharedKeys {
  readonly keys: readonly { readonly name: string }[];
  readonly secondaries: readonly { readonly key: string }[];
}

function checkKeys({ keys, secondaries }: SharedKeys, context: z.RefinementCtx): void {
  const names = new Set(keys.map(({ name }) => name));
  if (names.size < keys.length) context.addIssue({ code: 'custom', message: 'two keys have the same name' });
  for (const { key } of secondaries)
    if (!names.has(key)) context.addIssue({ code: 'custom', message: `secondaries: there is no key ${key}` });
}
