/** renewalInfo as JSON (RFC 9773 §4.2). */
import { json, type Answer } from './exchange.ts';
import type { Renewing } from './renewing.ts';

export class RenewalDesk {
  readonly #renewing: Renewing;

  constructor(options: { readonly renewing: Renewing }) {
    this.#renewing = options.renewing;
  }

  renewalInfo(certId: string): Answer {
    const { startMs, endMs, explanationUrl, retryAfterSeconds } = this.#renewing.info(certId);
    const view = {
      suggestedWindow: { start: formatTime(startMs), end: formatTime(endMs) },
      ...(explanationUrl === undefined ? {} : { explanationURL: explanationUrl }),
    };
    return { ...json(view), retryAfterSeconds };
  }
}

/** RFC 3339 in whole seconds, as Go writes it. */
function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
