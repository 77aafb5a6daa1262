/** How an order was placed at the CA: what it counts as, and what it says it replaces. Kept with the order until it ends. */
import type { Bucket } from './bucket.ts';

export interface Placement {
  readonly authority: string;
  /** `replacement` counts nowhere, `renewal` as the same names again, `new` everywhere. */
  readonly kind: 'replacement' | 'renewal' | 'new';
  /** Only to see whether the CA can verify the names: its certificate is thrown away. */
  readonly isRehearsal?: true;
  /** RFC 9773 §4.1 certificate id of the predecessor, sent as `replaces`. */
  readonly replaces?: string;
  /** A place that is held in this bucket until the order ends: the CA will count the certificate when it issues it. */
  readonly holds?: Bucket;
}
