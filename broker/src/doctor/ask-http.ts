/** One question over HTTP, to a CA or to the admin API. */
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { getCACertificates } from 'node:tls';
import { deadline, describeError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';

export interface HttpQuestion {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  /** Roots to trust besides the system's, as PEM. */
  readonly rootsPem?: string;
  readonly token?: string;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** How far our clock is ahead of the server's, which tells seconds only (RFC 9110 §6.6.1). */
  readonly aheadMs: number | undefined;
  /** Undefined when it was not JSON. */
  readonly document: unknown;
}

export interface Silence {
  readonly kind: 'silence';
  readonly reason: string;
}

export type AskHttp = (question: HttpQuestion) => Promise<HttpAnswer | Silence>;

const TIMEOUT_MS = 5_000;
/** A directory has 2 kB. */
const MOST_BYTES = 256 * 1024;

export function httpClient(clock: Clock): AskHttp {
  return async ({ url, method = 'GET', rootsPem, token }) => {
    using limit = deadline(clock, TIMEOUT_MS);
    const ca = rootsPem === undefined ? {} : { ca: [...getCACertificates('default'), rootsPem] };
    const headers = { 'user-agent': 'lanyard-doctor', ...(token && { authorization: `Bearer ${token}` }) };
    try {
      const response = await send(new URL(url), { method, headers, agent: false, signal: limit.signal, ...ca });
      return await answerOf(response, clock.nowMs());
    } catch (error) {
      return { kind: 'silence', reason: limit.signal.aborted ? 'no answer' : reasonOf(error) };
    }
  };
}

function send(url: URL, options: RequestOptions & { readonly ca?: string[] }): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'http:' ? requestPlain : requestSecure;
    request(url, options, resolve).on('error', reject).end();
  });
}

async function answerOf(response: IncomingMessage, nowMs: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MOST_BYTES) throw new Error('the answer is too long');
    chunks.push(bytes);
  }
  const dateMs = Date.parse(response.headers.date ?? '');
  return {
    kind: 'answer',
    status: response.statusCode ?? 0,
    aheadMs: Number.isNaN(dateMs) ? undefined : nowMs - dateMs,
    document: parsed(Buffer.concat(chunks).toString()),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of several addresses that failed, Node makes an AggregateError without a message. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code || describeError(error);
}
