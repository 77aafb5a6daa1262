/** Port: where an appliance's name is made to point at its LAN addresses. */

export interface AddressBoard {
  /**
   * Makes `addresses` (IPv4 and IPv6 literals) the whole A/AAAA set of `name` and resolves when it is served.
   * An empty list leaves the name without addresses. Idempotent.
   */
  publish(name: string, addresses: readonly string[]): Promise<void>;
}
