/** Durations as people write them: `90s`, `15m`, `6h`, `30d`, `8w`, `1y`. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 365 * 86_400_000,
};

/** A number is milliseconds. Undefined: not a duration, or a negative one. */
export function durationMs(given: string | number): number | undefined {
  if (typeof given === 'number') return Number.isFinite(given) && given >= 0 ? given : undefined;
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)$/.exec(given.trim()) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Math.round(Number(amount) * unitMs);
}

const NAMED = ['y', 'd', 'h', 'm', 's'] as const;

/** The two largest units that say something: `1d 6h`, `40s`, `250ms`. */
export function describeDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let restMs = ms;
  for (const unit of NAMED) {
    const unitMs = UNIT_MS[unit] ?? 1;
    const count = Math.floor(restMs / unitMs);
    if (count > 0) parts.push(`${count}${unit}`);
    restMs -= count * unitMs;
    if (parts.length > 0 && (parts.length === 2 || count === 0)) break;
  }
  return parts.join(' ');
}
