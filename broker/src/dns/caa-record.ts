/** Which authority may issue for a zone (RFC 8659), as text and back. */

export interface CaaRecord {
  /** 128 marks the property as critical: an authority that does not know it must not issue. */
  readonly flags: number;
  /** `issue`, `issuewild` or `iodef`. */
  readonly tag: string;
  /** Such as `letsencrypt.org; accounturi=…; validationmethods=dns-01` (RFC 8657). */
  readonly value: string;
}

/** Room for an authority, an account URL and parameters; a larger set would push the answer off UDP. */
const MAX_VALUE_LENGTH = 512;

/** `<flags> <tag> "<value>"`, as zone files write it. */
export function formatCaa(caa: CaaRecord): string {
  return `${caa.flags} ${caa.tag} "${caa.value.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Undefined when the text is no CAA record. */
export function parseCaa(text: string): CaaRecord | undefined {
  // RFC 8659 §4.1: one byte of flags; a tag is letters and digits, 15 of them at most (§4.1.1 says to keep it short).
  const match = /^(\d{1,3}) ([a-z0-9]{1,15}) "((?:[^"\\]|\\["\\])*)"$/i.exec(text);
  if (match === null) return undefined;
  const [, flags = '', tag = '', quoted = ''] = match;
  const value = quoted.replaceAll(/\\(["\\])/g, '$1');
  if (Number(flags) > 255 || value.length > MAX_VALUE_LENGTH || !/^[\x20-\x7e]*$/.test(value)) return undefined;
  return { flags: Number(flags), tag: tag.toLowerCase(), value };
}
