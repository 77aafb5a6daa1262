/** `lanyard revoke` and `lanyard replace`: certificates that are to go before their time. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import { connectToBroker } from './admin-client.ts';
import type { CommandContext } from './context.ts';

const view = z.object({ isConnected: z.boolean() });

/** The appliance has half a minute to sign, twice, and the CA is asked in between. */
const REVOKE_TIMEOUT_MS = 180_000;

export async function revokeDevice(
  configPath: string,
  deviceId: string,
  given: unknown,
  context: CommandContext,
): Promise<void> {
  const { reason, signedBy } = z.object({ reason: z.string(), signedBy: z.string() }).parse(given);
  const client = await connectToBroker(configPath);
  const path = `/v1/appliances/${encodeURIComponent(deviceId)}/revoke`;
  const { isConnected } = view.parse(await client.post(path, { reason, signedBy }, REVOKE_TIMEOUT_MS));
  const next = isConnected
    ? 'it was asked for a new request'
    : 'it is away and is asked for a new request when it comes';
  context.print(`the certificate of ${deviceId} is revoked; ${next}\n`);
}

const options = z.object({ all: z.boolean().optional(), within: z.string(), dryRun: z.boolean().optional() });
const answer = z.object({ certificates: z.number(), connected: z.number().optional() });

const HOUR_SECONDS = 3_600;

/** @throws LanyardError `option-invalid` without `--all`: nothing else can be meant, and it is to be said. */
export async function replaceAll(configPath: string, given: unknown, context: CommandContext): Promise<void> {
  const { all, within, dryRun: isDryRun = false } = options.parse(given);
  if (!all) throw new LanyardError('option-invalid', { message: 'say --all: every certificate is replaced' });
  const withinSeconds = secondsOf(within);
  const client = await connectToBroker(configPath);
  const { certificates, connected } = answer.parse(await client.post('/v1/replacements', { withinSeconds, isDryRun }));
  const perHour = Math.ceil(certificates / Math.max(1, withinSeconds / HOUR_SECONDS));
  const pace = `${certificates} certificates within ${within} are ${perHour} an hour`;
  context.print(
    isDryRun
      ? `${pace}; nothing was changed\n`
      : `${pace}; ${connected ?? 0} appliances are connected and are asked in time, the others when they come\n`,
  );
}

const UNIT_SECONDS = { m: 60, h: HOUR_SECONDS, d: 24 * HOUR_SECONDS } as const;

function secondsOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (unit === 'm' || unit === 'h' || unit === 'd') return Number(count) * UNIT_SECONDS[unit];
  throw new LanyardError('option-invalid', { message: `--within ${text} is no time such as 30m, 24h or 5d` });
}
