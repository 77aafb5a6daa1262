/** A promise as something that can be seen to be broken: told of everything that happens, it objects at once. */
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import type { Happening, HappeningKind } from '../world/happening.ts';
import type { Facts } from './facts.ts';

export interface Invariant {
  /** Stays as it is for ever: scenarios tolerate by it. */
  readonly name: string;
  /** Which of the product's promises it guards. */
  readonly guards: `P${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;
  /** What it wants to be told of; most are interested in little of what happens. */
  readonly kinds?: readonly HappeningKind[];
  readonly onHappening?: (happening: Happening) => void;
  /** Before each happening, so that what ought to have happened by now is noticed. */
  readonly onTime?: (nowMs: number) => void;
  /** Everything that an appliance sends, as it leaves it. */
  readonly onUp?: (sent: Sent) => void;
  /** Everything that the broker sends, as it reaches an appliance's line. */
  readonly onDown?: (delivery: Delivery) => void;
  /** Once, while the world still stands. */
  readonly atEnd?: () => void;
}

export interface Sent {
  readonly atMs: number;
  readonly appliance: number;
  readonly kind: UpKind;
  readonly payload: Uint8Array;
}

export interface Delivery {
  readonly atMs: number;
  readonly appliance: number;
  /** Of the appliance at the far end of the line. */
  readonly deviceId: string;
  /** Whom the broker meant. */
  readonly addressee: string;
  readonly message: DownMessage;
}

/** A promise was broken. */
export interface Breach {
  readonly atMs: number;
  readonly appliance?: number | undefined;
  readonly what: string;
}

export interface InvariantParts {
  readonly facts: Facts;
  readonly violate: (breach: Breach) => void;
}
