/** Which strings are names that a certificate may carry. */

/** RFC 1035 §2.3.4, without the dot at the end. */
const LONGEST_NAME = 253;
/** Letters, digits and hyphens, hyphens inside (RFC 1123 §2.1): no underscore, no U-label, no empty label. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/** Whether `name` is a lower-case DNS name without a dot at the end; `*` may be its whole first label (RFC 9525 §6.3). */
export function isCertificateName(name: string): boolean {
  const host = name.startsWith('*.') ? name.slice(2) : name;
  return name.length <= LONGEST_NAME && host.split('.').every((label) => LABEL.test(label));
}
