/** Who of a crowd stands where, and in which process it lives: the same answer in every process, from three figures. */

export interface Crowd {
  readonly appliances: number;
  /** At most as many as appliances. */
  readonly sites: number;
  /** How many of them run the real SDK; the others are light clients. */
  readonly sdk: number;
}

export interface Slice {
  /** Number of its first appliance. */
  readonly first: number;
  readonly count: number;
}

/** Neighbours in number are neighbours in the world. */
export function siteOf({ appliances, sites }: Crowd, number: number): number {
  return Math.floor((number * sites) / appliances);
}

/** Those with the SDK stand among the others at even distances. */
export function hasSdk({ appliances, sdk }: Crowd, number: number): boolean {
  return Math.floor(((number + 1) * sdk) / appliances) > Math.floor((number * sdk) / appliances);
}

/** Whole sites each, so that one LAN and one NAT are never in two processes. */
export function slicesOf(crowd: Crowd, processes: number): readonly Slice[] {
  const { appliances, sites } = crowd;
  const parts = Math.min(processes, sites);
  const firsts = Array.from({ length: parts + 1 }, (_, index) =>
    Math.ceil((Math.floor((index * sites) / parts) * appliances) / sites),
  );
  return firsts.slice(0, -1).map((first, index) => ({ first, count: (firsts[index + 1] ?? appliances) - first }));
}

/** How many of a slice run the real SDK. */
export function sdkIn(crowd: Crowd, { first, count }: Slice): number {
  const before = (number: number): number => Math.floor((number * crowd.sdk) / crowd.appliances);
  return before(first + count) - before(first);
}
