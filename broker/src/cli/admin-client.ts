/** The admin API as the commands see it. */
import { ERRORS, LanyardError } from '@lanyard/sdk/kernel';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import { request } from 'undici';
import { z } from 'zod';
import { loadConfig } from '../config.ts';
import { dataDirectory, readSecret } from '../data-directory.ts';

export interface AdminClient {
  get(path: string): Promise<unknown>;
  post(path: string, body?: object, timeoutMs?: number): Promise<unknown>;
}

const problem = z.object({ code: z.string(), message: z.string() });

/** An operator at a terminal does not wait longer. */
const TIMEOUT_MS = 10_000;

/** The broker whose settings file this is, by its own address and token. */
export async function connectToBroker(configPath: string): Promise<AdminClient> {
  const config = await loadConfig(configPath);
  const token = (await readSecret(dataDirectory(config.data).adminToken)).trim();
  const { host, port } = config.admin;
  return adminClient(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, token);
}

/** @param origin for instance `http://127.0.0.1:8080`. */
export function adminClient(origin: string, token: string): AdminClient {
  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    timeoutMs = TIMEOUT_MS,
  ): Promise<unknown> => {
    const answer = await request(new URL(path, origin), {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    }).catch((cause: unknown) => {
      throw new LanyardError('admin-unreachable', {
        cause,
        message: `no broker answers at ${origin}. Is \`lanyard serve\` running?`,
      });
    });
    const value = await answer.body.json().catch(() => undefined);
    if (answer.statusCode < 300) return value;
    const known = problem.safeParse(value);
    const message = known.success ? known.data.message : `the broker answered with status ${answer.statusCode}`;
    const code = known.success && isErrorCode(known.data.code) ? known.data.code : 'admin-request-invalid';
    throw new LanyardError(code, { message });
  };
  return { get: (path) => call('GET', path), post: (path, body, timeoutMs) => call('POST', path, body, timeoutMs) };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
