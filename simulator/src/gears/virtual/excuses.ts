/** Whether a certificate that ended could have been renewed: only then is the end a broken promise (P4). */
import type { Clock } from '@lanyard/sdk/kernel';
import type { ModelAuthority } from '../../world/authority/model-authority.ts';
import type { Box } from './box.ts';
import type { Vendor } from './vendor.ts';

export interface ExcusesParts {
  readonly clock: Clock;
  readonly vendor: Vendor;
  readonly model: Pick<ModelAuthority, 'controls'>;
}

/**
 * For so long before the end everything must have been fine for the end to be a fault: a day for 90 days of life,
 * with the CA's pauses after failures in mind, and less for shorter lives.
 */
const PATIENCE = 1 / 90;

export class Excuses {
  readonly #parts: ExcusesParts;
  /** Since when the CA has answered everybody. */
  #authoritySinceMs: number;
  /** When it last refused an order by its limits. */
  #limitedAtMs = -Infinity;
  #brokerSinceMs: number;

  constructor(parts: ExcusesParts) {
    this.#parts = parts;
    this.#authoritySinceMs = parts.clock.nowMs();
    this.#brokerSinceMs = parts.clock.nowMs();
  }

  /** The CA began or ended to fail; while it fails there is no time since when it has not. */
  authorityChanged(): void {
    const { faults } = this.#parts.model.controls;
    const isFine = !faults.isUnreachable && !faults.isFailing && faults.cutShare === 0 && faults.certificate === 'none';
    this.#authoritySinceMs = isFine ? this.#parts.clock.nowMs() : Infinity;
  }

  brokerStarted(): void {
    this.#brokerSinceMs = this.#parts.clock.nowMs();
  }

  limited(): void {
    this.#limitedAtMs = this.#parts.clock.nowMs();
  }

  /** Undefined: nothing stood in the way. */
  forExpiryOf(box: Box): string | undefined {
    const { clock, vendor } = this.#parts;
    const lifeMs = box.certificate ? box.certificate.notAfterMs - box.certificate.notBeforeMs : 0;
    const sinceMs = clock.nowMs() - lifeMs * PATIENCE;
    if (!box.isOn) return 'switched off';
    if (box.reachableSinceMs === undefined || box.reachableSinceMs > sinceMs) return 'unreachable';
    if (box.flash.isBroken) return 'flash cannot be written';
    if (vendor.broker === undefined || this.#brokerSinceMs > sinceMs) return 'broker down';
    if (this.#authoritySinceMs > sinceMs) return 'CA down';
    return this.#limitedAtMs > sinceMs ? 'CA limits' : undefined;
  }
}
