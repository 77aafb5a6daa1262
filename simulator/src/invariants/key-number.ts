/** A key hash in eight bytes: for a million appliances the hash itself would take a hundred megabytes. */

/** 52 bits: all that a double holds without loss. */
const DIGITS = 13;
/** Of SHA-256 in hexadecimal, as the broker writes it; a CA writes the same in base64url. */
const HEX_DIGITS = 64;

/** The end of the hash: pretend keys are numbered, and begin alike. Never 0, which stands for none. */
export function keyNumber(keyHash: string): number {
  const hex = keyHash.length === HEX_DIGITS ? keyHash : Buffer.from(keyHash, 'base64url').toString('hex');
  return Number.parseInt(hex.slice(-DIGITS), 16) + 1;
}
