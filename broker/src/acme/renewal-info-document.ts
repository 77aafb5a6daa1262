/** A CA's renewal information (RFC 9773 §4.2), made ours. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { RenewalInfo } from '../certificates/authority.ts';
import { parseCaUrl } from './ca-url.ts';
import { isObject } from './problems.ts';
import { parseTimestamp } from './timestamp.ts';

/** As much as fits on a line of a log or a terminal. */
const LONGEST_EXPLANATION_URL = 1_000;

/** @throws LanyardError `authority-protocol` */
export function parseRenewalInfo(document: unknown, retryAfterMs: number | undefined): RenewalInfo {
  if (!isObject(document)) throw broken('no JSON object');
  const suggested = document['suggestedWindow'];
  if (!isObject(suggested)) throw broken('no suggested window');
  const [startMs, endMs] = [parseTimestamp(suggested['start']), parseTimestamp(suggested['end'])];
  if (startMs === undefined || endMs === undefined) throw broken('its window has no start or no end');
  // RFC 9773 §4.2: such a window is to be taken for no answer at all.
  if (startMs >= endMs) throw broken('its window ends before it starts');
  const explanationUrl = parseExplanationUrl(document['explanationURL']);
  return {
    window: { startMs, endMs },
    ...(explanationUrl === undefined ? {} : { explanationUrl }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Shown to people, who may click on it. A bad one is left out: the window counts all the same. */
function parseExplanationUrl(value: unknown): string | undefined {
  const url = parseCaUrl(value);
  return url?.startsWith('https:') && url.length <= LONGEST_EXPLANATION_URL ? url : undefined;
}

function broken(fault: string): LanyardError {
  return new LanyardError('authority-protocol', { message: `the CA's renewal information makes no sense: ${fault}` });
}
