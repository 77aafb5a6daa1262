/** Port: which LAN addresses the appliance has, and when they change. */
import type { Runnable } from '../kernel/runnable.ts';
import type { ReportedAddress } from '../protocol/hello.ts';

export interface AddressSource extends Runnable {
  /** What the appliance has now, in a stable order. */
  current(): readonly ReportedAddress[];
  /** Called when the set has changed and then held still; one listener, before `start`. */
  onChange(listener: () => void): void;
}
