/** The settings of the acme-dns API, by which other machines prove names. */
import { z } from 'zod';
import { dnsName, host, port } from './names.ts';

/** A UUID and its dot stand before it in a name of at most 253. */
const LONGEST_ACME_DNS_APEX = 216;

export const acmeDns = z.strictObject({
  register: z
    .enum(['off', 'closed', 'token', 'open'])
    .default('off')
    .describe(
      'Who gets an account of the acme-dns API: `closed` by `lanyard acme-dns register` alone, `token` also who shows ' +
        'one, `open` everybody in `allowFrom`. `off`: the API is not served.',
    ),
  host: host.default('127.0.0.1').describe('Keep it on loopback, or behind a proxy that speaks TLS.'),
  port: port.default(8081),
  apex: dnsName
    .max(LONGEST_ACME_DNS_APEX)
    .optional()
    .describe('What the accounts’ names end in, in the zone. Default: acme-dns.<zone.apex>.'),
  mostAccounts: z.int().min(1).max(10_000).default(1_000).describe('There are never more accounts than this.'),
  tokenFile: z
    .string()
    .optional()
    .describe('File with a token that, beside the admin token, lets register. Readable by its owner only.'),
  allowFrom: z
    .array(z.string().max(64))
    .max(64)
    .default([])
    .describe('Networks (address or CIDR) from which `open` lets register.'),
  proxyPeers: z
    .array(z.string().max(64))
    .max(64)
    .default([])
    .describe('Proxies (address or CIDR) whose X-Forwarded-For is believed; nobody else’s is.'),
});
