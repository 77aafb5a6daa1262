/** Serial numbers of zones, which wrap around (RFC 1982 with 32 bits). */

/** Whether `serial` comes after `other` by less than half the circle. */
export function isNewerSerial(serial: number, other: number): boolean {
  return serial !== other && (serial - other) >>> 0 < 2 ** 31;
}
