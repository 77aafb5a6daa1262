/** An instant as CAs write it (RFC 3339 §5.6). */

const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d)[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** @returns epoch milliseconds; undefined for everything without a time zone, before 1970, or on no day of the calendar. */
export function parseTimestamp(value: unknown): number | undefined {
  const [text, date] = (typeof value === 'string' ? TIMESTAMP.exec(value) : null) ?? [];
  if (text === undefined || date === undefined || !isDay(date)) return undefined;
  const atMs = Date.parse(text.toUpperCase().replace(' ', 'T'));
  return atMs >= 0 ? atMs : undefined;
}

/** Date.parse takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const midnightMs = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(midnightMs) && new Date(midnightMs).toISOString().startsWith(date);
}
