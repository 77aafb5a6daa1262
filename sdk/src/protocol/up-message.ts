/** Everything an appliance can say, as one union. */
import { encodeBody } from './body.ts';
import { parseBye } from './bye.ts';
import type { Bye } from './bye.ts';
import { csrBody, parseCsr } from './csr.ts';
import type { Csr } from './csr.ts';
import { helloBody, parseHello } from './hello.ts';
import type { Hello } from './hello.ts';
import { parseInstalled } from './installed.ts';
import type { Installed } from './installed.ts';
import { parseSignedRevocation } from './revocation.ts';
import type { SignedRevocation } from './revocation.ts';
import type { Parsed } from './shape.ts';
import type { UpKind } from './topics.ts';

export type UpMessage =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'csr'; readonly csr: Csr }
  | { readonly kind: 'installed'; readonly installed: Installed }
  | { readonly kind: 'bye'; readonly bye: Bye }
  | { readonly kind: 'revocation'; readonly revocation: SignedRevocation };

/** Reads a body that arrived on the topic of `kind`. */
export function parseUp(kind: UpKind, body: unknown): Parsed<UpMessage> {
  switch (kind) {
    case 'hello':
      return wrap(parseHello(body), (hello) => ({ kind, hello }));
    case 'csr':
      return wrap(parseCsr(body), (csr) => ({ kind, csr }));
    case 'installed':
      return wrap(parseInstalled(body), (installed) => ({ kind, installed }));
    case 'bye':
      return wrap(parseBye(body), (bye) => ({ kind, bye }));
    case 'revocation':
      return wrap(parseSignedRevocation(body), (revocation) => ({ kind, revocation }));
  }
}

/** The payload for the topic of `message.kind`. */
export function encodeUp(message: UpMessage): Buffer {
  switch (message.kind) {
    case 'hello':
      return encodeBody(helloBody(message.hello));
    case 'csr':
      return encodeBody(csrBody(message.csr));
    case 'installed':
      return encodeBody(message.installed);
    case 'bye':
      return encodeBody(message.bye);
    case 'revocation':
      return encodeBody(message.revocation);
  }
}

function wrap<T>(parsed: Parsed<T>, into: (value: T) => UpMessage): Parsed<UpMessage> {
  return parsed.ok ? { ok: true, value: into(parsed.value) } : parsed;
}
