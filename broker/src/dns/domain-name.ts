/** Domain names as text: lower case, without a trailing dot. */
import { MAX_LABEL_BYTES, MAX_NAME_BYTES } from './wire.ts';

/**
 * The name in the form that zones use, or undefined when it is no name that this server would publish: labels are
 * letters, digits, hyphens and underscores, so that text and wire form have the same length.
 */
export function parseDomainName(text: string): string | undefined {
  // The wire form is two bytes longer: the first length byte and the root label.
  if (text.length === 0 || text.length > MAX_NAME_BYTES - 2) return undefined;
  return NAME.test(text) ? text.toLowerCase() : undefined;
}

const LABEL = `[a-z0-9_-]{1,${MAX_LABEL_BYTES}}`;
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i');

/** Whether `name` is `apex` or lies below it. */
export function isWithin(name: string, apex: string): boolean {
  if (name.length === apex.length) return name === apex;
  return name.length > apex.length && name.charCodeAt(name.length - apex.length - 1) === 0x2e && name.endsWith(apex);
}

/** The name without its first label; empty for a name of one label. */
export function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}
