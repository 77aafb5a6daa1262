/** Whether a certificate that ended could have been renewed: only then is the end a broken promise (P4). */
import type { Clock } from '@lanyard/sdk/kernel';
import type { FaultSettings } from '../../world/authority/faults.ts';
import type { ModelAuthority } from '../../world/authority/model-authority.ts';
import type { Box } from './box.ts';
import type { Vendor } from './vendor.ts';

export interface ExcusesParts {
  readonly clock: Clock;
  readonly vendor: Vendor;
  /** The CAs; certificates are there to be had while one of them answers. */
  readonly models: readonly Pick<ModelAuthority, 'controls'>[];
}

/**
 * For so long before the end everything must have been fine for the end to be a fault: a day for 90 days of life,
 * with the CA's pauses after failures in mind, and less for shorter lives.
 */
const PATIENCE = 1 / 90;

export class Excuses {
  readonly #parts: ExcusesParts;
  /** Since when each CA has answered everybody. */
  readonly #authoritiesSinceMs: number[];
  /** When each last refused an order by its limits. */
  readonly #limitedAtMs: number[];
  #brokerSinceMs: number;

  constructor(parts: ExcusesParts) {
    this.#parts = parts;
    this.#authoritiesSinceMs = parts.models.map(() => parts.clock.nowMs());
    this.#limitedAtMs = parts.models.map(() => -Infinity);
    this.#brokerSinceMs = parts.clock.nowMs();
  }

  /** A CA began or ended to fail; while it fails there is no time since when it has not. */
  authorityChanged(ca: number): void {
    const { clock, models } = this.#parts;
    const faults = models[ca]?.controls.faults;
    const isFine = faults !== undefined && !isFailing(faults);
    this.#authoritiesSinceMs[ca] = isFine ? clock.nowMs() : Infinity;
  }

  brokerStarted(): void {
    this.#brokerSinceMs = this.#parts.clock.nowMs();
  }

  limited(ca: number): void {
    this.#limitedAtMs[ca] = this.#parts.clock.nowMs();
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
    return this.#hindranceAtCas(sinceMs);
  }

  /** What stood in the way at the first, when something did at every one of them. */
  #hindranceAtCas(sinceMs: number): string | undefined {
    const hindrances = this.#parts.models.map((_, ca) => {
      if ((this.#authoritiesSinceMs[ca] ?? 0) > sinceMs) return 'CA down';
      return (this.#limitedAtMs[ca] ?? -Infinity) > sinceMs ? 'CA limits' : undefined;
    });
    return hindrances.includes(undefined) ? undefined : hindrances[0];
  }
}

function isFailing(faults: FaultSettings): boolean {
  return faults.isUnreachable || faults.isFailing || faults.cutShare !== 0 || faults.certificate !== 'none';
}
