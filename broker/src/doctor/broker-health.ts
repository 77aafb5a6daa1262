/** Does the broker run, what does it say of itself, and will it publish a record for the round trip? */
import { z } from 'zod';
import type { AskHttp } from './ask-http.ts';
import { error, ok } from './finding.ts';
import type { Finding } from './finding.ts';
import type { Probe } from './round-trip.ts';

export interface AdminSubject {
  /** Such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** Undefined: it cannot be read, which another check tells. */
  readonly token: string | undefined;
}

export type ProbeOutcome = Probe | { readonly reason: string };

const health = z.object({
  findings: z.array(z.object({ part: z.string(), isHealthy: z.boolean(), detail: z.string() })),
});
const published = z.object({ name: z.string(), value: z.string() });

export async function examineBroker({ origin }: AdminSubject, ask: AskHttp): Promise<readonly Finding[]> {
  const answer = await ask({ url: `${origin}/healthz` });
  if (answer.kind === 'silence') {
    return [
      error('broker', {
        what: `No broker answers at ${origin} (${answer.reason}).`,
        why: 'While it is down nothing is issued or renewed, and no name resolves.',
        mend: 'Start it with `lanyard serve`; its last log line says why it ended.',
      }),
    ];
  }
  const read = health.safeParse(answer.document);
  if (!read.success) {
    return [
      error('broker', {
        what: `Something other than a broker answers at ${origin} (status ${answer.status}).`,
        why: 'The commands talk to whatever has this port.',
        mend: 'End it, or choose another `admin.port`.',
      }),
    ];
  }
  const ill = read.data.findings.filter(({ isHealthy }) => !isHealthy);
  if (ill.length === 0) return [ok('broker', `the broker runs at ${origin}, and says that it is well`)];
  return ill.map(({ part, detail }) =>
    error('broker', {
      what: `The broker says that its part ${part} is not well: ${detail}.`,
      why: 'It knows best; something that it needs is missing.',
      mend: 'Look for this part in its log, and in “What to do when” of docs/operating.md.',
    }),
  );
}

/** Has the broker publish a record that it takes down by itself after a minute. */
export async function askForProbe({ origin, token }: AdminSubject, ask: AskHttp): Promise<ProbeOutcome> {
  if (token === undefined) return { reason: 'the admin token cannot be read' };
  const answer = await ask({ url: `${origin}/v1/probe`, method: 'POST', token });
  if (answer.kind === 'silence') return { reason: 'no broker runs that would publish a record' };
  const read = published.safeParse(answer.document);
  return read.success ? read.data : { reason: `the broker did not publish a record (status ${answer.status})` };
}
