/** Everything the broker can say, as one union. */
import { encodeBody } from './body.ts';
import { certificateBody, parseCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { parseProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import { parseRevocationWish } from './revocation.ts';
import type { RevocationWish } from './revocation.ts';
import type { Parsed } from './shape.ts';
import { parseState, stateBody } from './state.ts';
import type { State } from './state.ts';
import type { DownKind } from './topics.ts';

export type DownMessage =
  | { readonly kind: 'state'; readonly state: State }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'problem'; readonly problem: Problem }
  | { readonly kind: 'revocation'; readonly wish: RevocationWish };

/** Reads a body that arrived on the topic of `kind`. */
export function parseDown(kind: DownKind, body: unknown): Parsed<DownMessage> {
  switch (kind) {
    case 'state':
      return wrap(parseState(body), (state) => ({ kind, state }));
    case 'certificate':
      return wrap(parseCertificate(body), (certificate) => ({ kind, certificate }));
    case 'problem':
      return wrap(parseProblem(body), (problem) => ({ kind, problem }));
    case 'revocation':
      return wrap(parseRevocationWish(body), (wish) => ({ kind, wish }));
  }
}

/** The payload for the topic of `message.kind`. */
export function encodeDown(message: DownMessage): Buffer {
  switch (message.kind) {
    case 'state':
      return encodeBody(stateBody(message.state));
    case 'certificate':
      return encodeBody(certificateBody(message.certificate));
    case 'problem':
      return encodeBody(message.problem);
    case 'revocation':
      return encodeBody(message.wish);
  }
}

function wrap<T>(parsed: Parsed<T>, into: (value: T) => DownMessage): Parsed<DownMessage> {
  return parsed.ok ? { ok: true, value: into(parsed.value) } : parsed;
}
