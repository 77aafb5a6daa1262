/** Whether the appliance and its broker are in conversation: the outer, smaller half of the lifecycle. */

/**
 *            link-up                state / problem
 *   down ──────────────▶ greeting ─────────────────▶ greeted ──┐ again at the latest, addresses changed
 *    ▲                    ▲  │ silence: hello again     │  ▲   │
 *    │ link-down          └──┘                          │  └───┘ (by way of greeting)
 *    ├── greeting, greeted              check-in mode,  │
 *    │                                  all is done     ▼
 *    └───────────────────────────────────────────────  away
 *                       time to come back
 */
export type Line =
  | { readonly kind: 'down' }
  /** `hello` was said and not answered yet. */
  | { readonly kind: 'greeting'; readonly attempt: number; readonly silentAtMs: number }
  /** The broker answered; hello is said again at `againAtMs`. */
  | { readonly kind: 'greeted'; readonly againAtMs: number }
  /** Left on purpose until `untilMs`: a held connection costs the broker 64 kB. */
  | { readonly kind: 'away'; readonly untilMs: number };

/** An MQTT 3.1.1 broker that drops a forbidden publish says nothing; an answer takes far less than this. */
const HELLO_ANSWER_MS = 30_000;
/** A broker that stays silent is asked twice an hour: two messages of half a kilobyte. */
const LONGEST_SILENCE_MS = 30 * 60_000;

/** The line after saying hello for the `attempt`-th time without an answer. */
export function greeting(attempt: number, spread: number, nowMs: number): Line {
  return {
    kind: 'greeting',
    attempt,
    silentAtMs: nowMs + growing(HELLO_ANSWER_MS, LONGEST_SILENCE_MS, attempt, spread),
  };
}

/** When the line wants a timer event. */
export function lineWakesAtMs(line: Line): number | undefined {
  switch (line.kind) {
    case 'down':
      return undefined;
    case 'greeting':
      return line.silentAtMs;
    case 'greeted':
      return line.againAtMs;
    case 'away':
      return line.untilMs;
  }
}

/**
 * `baseMs` doubled with every attempt up to `capMs`, and up to a quarter longer.
 * @param spread the appliance's own constant in [0, 1), so that a fleet that was told the same comes back spread out.
 */
export function growing(baseMs: number, capMs: number, attempt: number, spread: number): number {
  return stretched(Math.min(capMs, baseMs * 2 ** Math.min(Math.max(0, attempt - 1), 52)), spread);
}

/** Never shorter than asked, up to a quarter longer. */
export function stretched(waitMs: number, spread: number): number {
  return Math.round(waitMs * (1 + spread / 4));
}
