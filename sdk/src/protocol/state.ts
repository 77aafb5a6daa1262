/** `state`: what the appliance should have. The answer to `hello`, and said again when something changes. */
import { toInstant } from './body.ts';
import { address, id, names, sha256 } from './fields.ts';
import { LIMITS } from './limits.ts';
import { instant, integer, list, object, oneOf, optional, parseWith, tagged, text } from './shape.ts';
import type { Parsed } from './shape.ts';

export interface State {
  /** That of the hello it answers; absent when the broker speaks first. */
  readonly id?: string;
  /** The broker's clock, epoch milliseconds: the first trustworthy time that many appliances see. */
  readonly serverTimeMs: number;
  /** Exactly the names that a signing request must carry. */
  readonly names: readonly string[];
  readonly published: readonly string[];
  readonly withheld: readonly WithheldAddress[];
  readonly mode: 'resident' | 'checkin';
  /** In `checkin` mode: how long to stay away. In `resident` mode: when to say hello again at the latest. */
  readonly nextCheckInSeconds: number;
  /** After a lost connection, come back at a random moment within this many seconds. */
  readonly reconnectSpreadSeconds: number;
  readonly todo: Todo;
}

export interface WithheldAddress {
  readonly address: string;
  readonly reason: (typeof WITHHELD_REASONS)[number];
}

/** Why a reported address is not published. */
export const WITHHELD_REASONS = ['never-published', 'not-permitted', 'not-an-address', 'too-many'] as const;

/** Why the broker wants a signing request. */
export const REQUEST_REASONS = ['first', 'renewal', 'names-changed', 'key-unknown', 'replaced'] as const;

export type Todo =
  | { readonly kind: 'nothing' }
  /** Make a new key and send a signing request. */
  | { readonly kind: 'request'; readonly reason: (typeof REQUEST_REASONS)[number] }
  /** A request of this key is under way; wait for its certificate. */
  | { readonly kind: 'wait'; readonly keyHash: string }
  /** Install the certificate that follows on the `certificate` topic. */
  | { readonly kind: 'install'; readonly fingerprint: string };

const shape = object({
  id: optional(id),
  serverTime: instant,
  names,
  published: list(address, LIMITS.addresses),
  withheld: list(object({ address: text(64), reason: oneOf(WITHHELD_REASONS) }), LIMITS.addresses),
  mode: oneOf(['resident', 'checkin']),
  nextCheckInSeconds: integer(1, LIMITS.waitSeconds),
  reconnectSpreadSeconds: integer(0, LIMITS.waitSeconds),
  todo: tagged({
    nothing: object({}),
    request: object({ reason: oneOf(REQUEST_REASONS) }),
    wait: object({ keyHash: sha256 }),
    install: object({ fingerprint: sha256 }),
  }),
});

export function parseState(value: unknown): Parsed<State> {
  const parsed = parseWith(shape, value);
  if (!parsed.ok) return parsed;
  const { serverTime, ...rest } = parsed.value;
  return { ok: true, value: { ...rest, serverTimeMs: serverTime } };
}

/** The body of a state, to be given to `encodeBody`. */
export function stateBody(state: State): object {
  const { serverTimeMs, ...rest } = state;
  return { ...rest, serverTime: toInstant(serverTimeMs) };
}
