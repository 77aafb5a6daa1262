/** The bytes of the address that a datagram came from, read without garbage: this happens for every query. */

/** Where `readSource` leaves the address: 4 or 16 bytes. One for the thread, as answering never waits. */
export const SOURCE = new Uint8Array(16);

const DOT = 0x2e;
const COLON = 0x3a;
const PERCENT = 0x25;
const NONE = -1;

/**
 * Reads what Node calls a sender into `SOURCE`. @returns how many bytes it has: 4, 16, or 0 for what no datagram from
 * the Internet has, such as IPv4 inside of IPv6.
 */
export function readSource(address: string): 0 | 4 | 16 {
  let byte = 0;
  let count = 0;
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index);
    if (code === DOT) {
      SOURCE[count++] = byte;
      byte = 0;
    } else if (code >= COLON) return readIpv6(address);
    else byte = byte * 10 + (code - 0x30);
  }
  SOURCE[count] = byte;
  return count === 3 ? 4 : 0;
}

function readIpv6(address: string): 0 | 16 {
  let group = 0;
  let count = 0;
  let gap = NONE;
  let hasDigits = false;
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index);
    // The scope behind it is this machine's affair.
    if (code === PERCENT) break;
    if (code === DOT) return 0;
    if (code === COLON) {
      if (hasDigits) writeGroup(count++, group);
      else gap = count;
      group = 0;
      hasDigits = false;
    } else {
      // Letters of both cases have their value in the lower four bits, less nine.
      group = (group << 4) | (code < COLON ? code - 0x30 : (code & 0x0f) + 9);
      hasDigits = true;
    }
  }
  if (hasDigits) writeGroup(count++, group);
  if (gap !== NONE) openGap(gap, count);
  return count === 8 || gap !== NONE ? 16 : 0;
}

function writeGroup(index: number, group: number): void {
  SOURCE[index * 2] = group >>> 8;
  SOURCE[index * 2 + 1] = group & 0xff;
}

/** Moves the groups behind `::` to the end and fills the place with zeros. */
function openGap(gap: number, count: number): void {
  const moved = (count - gap) * 2;
  SOURCE.copyWithin(16 - moved, gap * 2, count * 2);
  SOURCE.fill(0, gap * 2, 16 - moved);
}
