/** Which URLs a CA may send us to. */

/** Longer than any CA's; browsers and proxies stop near it too. */
const LONGEST_URL = 2_048;

/**
 * An absolute https URL, or undefined. Plain http is accepted on the loopback interface only, for test CAs: RFC 8555
 * §6.1 demands https, and nobody can listen in on the way to oneself.
 */
export function parseCaUrl(value: unknown, base?: string): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_URL) return undefined;
  const url = URL.parse(value, base);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  if (url.protocol === 'https:') return url.href;
  return url.protocol === 'http:' && isLoopback(url.hostname) ? url.href : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
