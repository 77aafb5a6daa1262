/** The HTTP API of acme-dns (github.com/joohoi/acme-dns): other ACME clients prove names with it. Its words, not ours. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, ErrorCode, Logger } from '@lanyard/sdk/kernel';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { AcmeDnsAccounts, Registration } from './acme-dns-accounts.ts';
import { clientAddress } from './client-address.ts';
import type { Networks } from './networks.ts';
import { UpdateRate } from './update-rate.ts';

export interface AcmeDnsApiParts {
  readonly accounts: Pick<AcmeDnsAccounts, 'register' | 'authenticate' | 'update'>;
  readonly admission: Admission;
  /** Who may say for whom they ask. */
  readonly proxies: Networks;
  /** Address of the other end of the connection. */
  readonly peerOf: (context: Context) => string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who may register. */
export type Admission =
  | { readonly kind: 'closed' }
  /** Who has one of these. */
  | { readonly kind: 'token'; readonly tokens: readonly string[] }
  /** Everybody there. */
  | { readonly kind: 'open'; readonly from: Networks };

/** A registration from 32 networks has a third of it. */
const LARGEST_BODY_BYTES = 4_096;

/** What is in a TXT record of dns-01: SHA-256 in base64url (RFC 8555 §8.4). Nothing else can be published here. */
const CHALLENGE_TEXT = /^[\w-]{43}$/;

const registration = z.object({ allowfrom: z.array(z.string().max(64)).nullish() });
const update = z.object({ subdomain: z.string(), txt: z.string() });

const PROBLEMS: Partial<Record<ErrorCode, Problem>> = {
  'admin-request-invalid': { status: 400, error: 'invalid_allowfrom_cidr' },
  'acme-dns-account-unknown': { status: 401, error: 'forbidden' },
  'acme-dns-full': { status: 503, error: 'too_many_accounts' },
};

interface Problem {
  readonly status: 400 | 401 | 500 | 503;
  readonly error: string;
}

export function createAcmeDnsApi(parts: AcmeDnsApiParts): Hono {
  const { accounts, admission, proxies, peerOf, clock, log } = parts;
  const rate = new UpdateRate(clock);
  const addressOf = (context: Context): string =>
    clientAddress(peerOf(context), context.req.header('x-forwarded-for'), proxies);
  const api = new Hono();
  api.use(
    bodyLimit({
      maxSize: LARGEST_BODY_BYTES,
      onError: (context) => context.json({ error: 'malformed_json_payload' }, 413),
    }),
  );
  api.get('/health', (context) => context.body(null, 200));
  // acme-dns, too, has no such resource where nobody may register.
  if (admission.kind !== 'closed') {
    api.post('/register', async (context) => {
      const isAdmitted = admits(admission, context.req.header('authorization'), addressOf(context));
      if (!isAdmitted) return context.json({ error: 'forbidden' }, 401);
      const { allowfrom } = readRegistration(await context.req.text());
      return context.json(onTheWire(await accounts.register(allowfrom ?? [])), 201);
    });
  }
  api.post('/update', async (context) => {
    const username = context.req.header('x-api-user') ?? '';
    const password = context.req.header('x-api-key') ?? '';
    const account = accounts.authenticate({ username, password, from: addressOf(context) });
    const wish = update.safeParse(await context.req.json<unknown>().catch(() => undefined)).data;
    // One answer for everything, so that nobody learns which part was right.
    if (account === undefined || wish?.subdomain !== account.label) {
      return context.json({ error: 'forbidden' }, 401);
    }
    if (!CHALLENGE_TEXT.test(wish.txt)) return context.json({ error: 'bad_txt' }, 400);
    const waitMs = rate.takeOrWaitMs(account.label);
    if (waitMs > 0) {
      return context.json({ error: 'rate_limited' }, 429, { 'retry-after': String(Math.ceil(waitMs / 1_000)) });
    }
    await accounts.update(account, wish.txt);
    return context.json({ txt: wish.txt });
  });
  api.notFound((context) => context.json({ error: 'not_found' }, 404));
  api.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    const { status, error: word } = problemOf(error);
    if (status === 500) log.error({ err: String(error), path: context.req.path }, 'an acme-dns request failed');
    return context.json({ error: word }, status);
  });
  return api;
}

function onTheWire({ username, password, name, label, allowFrom }: Registration) {
  return { username, password, fulldomain: name, subdomain: label, allowfrom: allowFrom };
}

function problemOf(error: Error): Problem {
  return (LanyardError.is(error) && PROBLEMS[error.code]) || { status: 500, error: 'db_error' };
}

/** Nothing, or `null` as lego sends it, is an account without bounds. */
function readRegistration(body: string): z.infer<typeof registration> {
  try {
    return registration.parse(body === '' ? {} : (JSON.parse(body) ?? {}));
  } catch {
    throw new HTTPException(400, { res: Response.json({ error: 'malformed_json_payload' }, { status: 400 }) });
  }
}

function admits(admission: Exclude<Admission, { kind: 'closed' }>, header: string | undefined, from: string): boolean {
  if (admission.kind === 'open') return admission.from.has(from);
  return admission.tokens.map((token) => isSame(header ?? '', `Bearer ${token}`)).includes(true);
}

/** Compared as digests: equal length, and no time difference that tells how much was right. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}
