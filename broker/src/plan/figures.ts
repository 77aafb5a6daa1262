/** Numbers as people read and write them: `90,000`, `3,230,280 s`, `37d 9h`, `2027-06-01`. */

/** Whole, with commas. */
export function count(value: number): string {
  return withCommas(value, 0);
}

/** Three digits that say something: `0.0174`, `2.5`, `1,500`. */
export function measure(value: number): string {
  return Math.abs(value) >= 100
    ? count(value)
    : new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(value);
}

/** To the millisecond: what is reckoned with must be seen. */
export function seconds(ms: number): string {
  return `${withCommas(ms / 1000, 3)} s`;
}

/** `50 %` */
export function percent(share: number): string {
  return `${measure(share * 100)} %`;
}

const UNITS = [
  ['y', 365 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** The two largest units, the second one rounded down: `34y 176d`, `3h`, `40s`. */
export function duration(ms: number): string {
  const first = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const [large, small] = first === -1 ? [] : UNITS.slice(first, first + 2);
  if (!large) return ms === 0 ? '0s' : `${Math.ceil(ms)}ms`;
  const whole = Math.floor(ms / large[1]);
  const rest = small ? Math.floor((ms - whole * large[1]) / small[1]) : 0;
  return small && rest > 0 ? `${count(whole)}${large[0]} ${rest}${small[0]}` : `${count(whole)}${large[0]}`;
}

/** How long a limit or a lifetime is, in the one unit that it is published in: `3h`, `7d`, `160h`. */
export function period(ms: number): string {
  const unit = UNITS.find(([name, unitMs]) => name !== 'y' && ms % unitMs === 0 && (name !== 'd' || ms >= unitMs));
  return unit ? `${count(ms / unit[1])}${unit[0]}` : `${count(ms)}ms`;
}

/** Beyond them dates have another form, and no meaning. */
const LAST_MS = Date.UTC(9999, 11, 31);

/** The day, in UTC. */
export function day(atMs: number): string {
  return atMs > LAST_MS ? 'never' : new Date(atMs).toISOString().slice(0, 10);
}

/** The instant for machines; null where a date would have more than four digits of years. */
export function isoDate(atMs: number): string | null {
  return atMs > LAST_MS ? null : new Date(atMs).toISOString();
}

/** `1 zone`, `3 zones` */
export function several(value: number, one: string): string {
  return `${count(value)} ${one}${value === 1 ? '' : 's'}`;
}

function withCommas(value: number, digits: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
