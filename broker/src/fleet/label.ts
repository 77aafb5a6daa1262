/** The random label that is an appliance's own. */
import type { Random } from '@lanyard/sdk/kernel';

/** RFC 4648 base32 in lower case: letters and digits only, so it is a host name on every resolver. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** 16 characters of 5 bits: 80 bits, beyond guessing. It says nothing about the appliance or its owner. */
const LENGTH = 16;

export function randomLabel(random: Random): string {
  return Array.from(random.bytes(LENGTH), (byte) => ALPHABET.charAt(byte & 31)).join('');
}
