/** `lanyard why`: what state an appliance's certificate is in, what happened, what is next and when, in sentences. */
import { z } from 'zod';
import type { CommandContext } from './context.ts';
import { connectToBroker } from './admin-client.ts';

const instant = z.iso.datetime();
const view = z.object({
  deviceId: z.string(),
  name: z.string(),
  status: z.enum(['active', 'disabled']),
  isConnected: z.boolean(),
  published: z.array(z.string()),
  lastSeenAt: instant.optional(),
  certificate: z
    .object({
      notAfter: instant,
      renewAt: instant,
      installedAt: instant.optional(),
      renewalWindow: z.object({ start: instant, end: instant }).optional(),
      explanationUrl: z.string().optional(),
      unattendedAt: instant.optional(),
      asleepSince: instant.optional(),
      revoked: z.object({ reason: z.string(), at: instant }).optional(),
    })
    .optional(),
  order: z
    .object({
      state: z.string(),
      ca: z.string().optional(),
      requestedAt: instant,
      nextTryAt: instant.optional(),
      failures: z.number(),
      asleepSince: instant.optional(),
      lastFailure: z.object({ code: z.string(), message: z.string(), at: instant }).optional(),
      waitsFor: z
        .object({
          what: z.enum(['pause', 'authority', 'budget', 'turn']),
          until: instant.optional(),
          ahead: z.number().optional(),
          limit: z.string().optional(),
          ca: z.string().optional(),
          subject: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
});
type View = z.infer<typeof view>;

export async function why(configPath: string, deviceId: string, context: CommandContext): Promise<void> {
  const client = await connectToBroker(configPath);
  const found = view.parse(await client.get(`/v1/appliances/${encodeURIComponent(deviceId)}`));
  context.print(`${explain(found, context.clock.nowMs()).join('\n')}\n`);
}

/** One sentence a line: who it is, what it has, what happened, what is next. */
export function explain(found: View, nowMs: number): readonly string[] {
  return [
    ...whoItIs(found, nowMs),
    ...whatItHas(found, nowMs),
    ...whatHappened(found, nowMs),
    whatIsNext(found, nowMs),
  ];
}

function whoItIs({ deviceId, name, isConnected, lastSeenAt, published }: View, nowMs: number): readonly string[] {
  const seen = lastSeenAt === undefined ? 'has never been seen' : `was last seen ${when(lastSeenAt, nowMs)}`;
  const points = published.length === 0 ? 'points nowhere' : `points to ${published.join(', ')}`;
  return [`${deviceId} is ${name}, which ${points}.`, isConnected ? 'It is connected.' : `It is away and ${seen}.`];
}

function whatItHas({ certificate }: View, nowMs: number): readonly string[] {
  if (certificate === undefined) return ['It has no certificate yet.'];
  const { notAfter, installedAt, renewalWindow, explanationUrl, asleepSince, revoked } = certificate;
  const isOver = Date.parse(notAfter) <= nowMs;
  const worn =
    installedAt === undefined ? 'it has not said that it serves it' : `in use since ${when(installedAt, nowMs)}`;
  const wish = renewalWindow && `The CA wants it renewed between ${renewalWindow.start} and ${renewalWindow.end}.`;
  return [
    `Its certificate ${isOver ? 'expired' : 'expires'} ${when(notAfter, nowMs)}; ${worn}.`,
    ...(asleepSince === undefined ? [] : [`It was ordered in its absence, which began ${when(asleepSince, nowMs)}.`]),
    ...(revoked === undefined ? [] : [`It was revoked ${when(revoked.at, nowMs)}: ${revoked.reason}.`]),
    ...(wish === undefined ? [] : [wish]),
    ...(explanationUrl === undefined ? [] : [`The CA explains why: ${explanationUrl}`]),
  ];
}

function whatHappened({ order }: View, nowMs: number): readonly string[] {
  if (order === undefined) return [];
  const { requestedAt, failures, lastFailure, asleepSince } = order;
  const tries = failures === 0 ? '' : `; ${failures === 1 ? 'one order' : `${failures} orders`} of it failed`;
  const what = asleepSince === undefined ? 'It asked for a certificate' : 'A certificate was ordered in its absence';
  const said = `${what} ${when(requestedAt, nowMs)}${tries}.`;
  if (lastFailure === undefined) return [said];
  return [said, `The last failure was ${when(lastFailure.at, nowMs)}: ${lastFailure.message} [${lastFailure.code}].`];
}

function whatIsNext({ status, isConnected, certificate, order }: View, nowMs: number): string {
  if (status === 'disabled') return 'Nothing is next: it is disabled.';
  if (order !== undefined) return `Next: ${nextOfOrder(order, nowMs)}`;
  if (certificate === undefined) return isConnected ? 'Next: its request.' : 'Next: it connects and asks.';
  const { renewAt, unattendedAt } = certificate;
  const otherwise =
    unattendedAt === undefined ? '' : `; if it stays silent, it is renewed ${when(unattendedAt, nowMs)}`;
  if (Date.parse(renewAt) > nowMs) return `Next: it is asked to renew ${when(renewAt, nowMs)}${otherwise}.`;
  return isConnected
    ? `Next: its request for a renewal, which is due${otherwise}.`
    : `Next: it is asked to renew when it connects${otherwise}.`;
}

function nextOfOrder({ state, ca, waitsFor }: NonNullable<View['order']>, nowMs: number): string {
  if (waitsFor === undefined) return `the order is under way${ca === undefined ? '' : ` at ${hostOf(ca)}`} (${state}).`;
  const { what, until, ahead = 0, limit = '', subject } = waitsFor;
  const by = waitsFor.ca === undefined ? 'the CA' : hostOf(waitsFor.ca);
  const at = until === undefined ? '' : ` ${when(until, nowMs)}`;
  const others = ahead === 0 ? '' : `; ${ahead} ${ahead === 1 ? 'other goes' : 'others go'} before it`;
  switch (what) {
    case 'pause':
      return `the order is tried again${at}.`;
    case 'authority':
      return `the CA is away or busy and is tried again${at}.`;
    case 'budget':
      if (limit === 'pause') return `${by} asked the account to pause, which is over${at}${others}.`;
      return `${by}’s limit ${limit}${subject === undefined ? '' : ` for ${subject}`} has room again${at}${others}.`;
    case 'turn':
      return `its turn at the CA${others}.`;
  }
}

/** A CA is known by the host of its directory. */
function hostOf(directory: string): string {
  return URL.parse(directory)?.hostname ?? directory;
}

/** The instant, and how far away it is in the largest unit that says it. */
function when(iso: string, nowMs: number): string {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1_000);
  // From two on: "36 hours" says more than "1 day".
  const scale = UNITS.find((one) => Math.abs(seconds) >= 2 * one.seconds) ?? { unit: 'second', seconds: 1 };
  const far = new Intl.RelativeTimeFormat('en').format(Math.trunc(seconds / scale.seconds), scale.unit);
  return `${far} (${iso.slice(0, 16)}Z)`;
}

const UNITS: readonly { unit: Intl.RelativeTimeFormatUnit; seconds: number }[] = [
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3_600 },
  { unit: 'minute', seconds: 60 },
];
