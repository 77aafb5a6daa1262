/** One of the crowd with the real SDK: what it tells its firmware, told as happenings. */
import type { ApplianceStatus, CertificateFacts } from '@lanyard/sdk';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import type { VirtualAppliance } from '../../fleet/virtual-appliance.ts';
import type { Witness } from '../../world/happening.ts';
import type { Member, Standing } from './member.ts';

export interface SdkMemberParts {
  /** In the run, from 0. */
  readonly number: number;
  readonly appliance: VirtualAppliance;
  readonly clock: Clock;
  readonly tell: Witness;
}

export class SdkMember implements Member {
  readonly #parts: SdkMemberParts;
  #isOn = false;
  #isUp = false;
  #certificate: CertificateFacts | undefined;
  #wantsSinceMs: number | undefined;
  #movedAtMs: number | undefined;

  constructor(parts: SdkMemberParts) {
    this.#parts = parts;
    parts.appliance.watch((_kind, fact) => {
      if (LanyardError.is(fact)) this.#onProblem(fact);
      else if ('fingerprint' in fact) this.#onCertificate(fact);
      else if ('kind' in fact) this.#onState(fact);
    });
  }

  standing(): Standing {
    return { isOn: this.#isOn, isConnected: this.#isUp, isCertified: this.#certificate !== undefined };
  }

  async powerOn(why: string): Promise<void> {
    if (this.#isOn) return;
    this.#powered(true, why);
    if (this.#certificate === undefined) this.#wantsSinceMs ??= this.#parts.clock.nowMs();
    await this.#parts.appliance.powerOn();
  }

  async powerCut(why: string): Promise<void> {
    if (!this.#isOn) return;
    this.#powered(false, why);
    await this.#parts.appliance.powerCut();
  }

  async reboot(): Promise<void> {
    if (!this.#isOn) return;
    this.#powered(false, 'reboot');
    await this.#parts.appliance.reboot();
    this.#powered(true, 'reboot');
    // What it told while it came up was not listened to.
    const status = this.#parts.appliance.status();
    if (status) this.#onState(status);
  }

  async factoryReset(): Promise<void> {
    this.#powered(false, 'factory-reset');
    this.#certificate = undefined;
    this.#wantsSinceMs = this.#parts.clock.nowMs();
    this.#powered(true, 'factory-reset');
    await this.#parts.appliance.factoryReset();
  }

  move(): void {
    const { clock, number, tell, appliance } = this.#parts;
    this.#movedAtMs = clock.nowMs();
    tell({ kind: 'moved', atMs: clock.nowMs(), appliance: number });
    appliance.move();
  }

  #powered(isOn: boolean, why: string): void {
    const { clock, number, tell } = this.#parts;
    if (!isOn) this.#linkIs(false, why);
    this.#isOn = isOn;
    tell({ kind: 'powered', isOn, why, atMs: clock.nowMs(), appliance: number });
  }

  #onState({ link, published }: ApplianceStatus): void {
    if (!this.#isOn) return;
    const { clock, number, tell, appliance } = this.#parts;
    this.#linkIs(link === 'up', 'the line was lost');
    if (this.#movedAtMs === undefined || !published.includes(appliance.address)) return;
    const waitedMs = clock.nowMs() - this.#movedAtMs;
    this.#movedAtMs = undefined;
    tell({ kind: 'published', waitedMs, atMs: clock.nowMs(), appliance: number });
  }

  #linkIs(isUp: boolean, why: string): void {
    if (isUp === this.#isUp) return;
    const { clock, number, tell } = this.#parts;
    this.#isUp = isUp;
    const about = { atMs: clock.nowMs(), appliance: number };
    tell(isUp ? { kind: 'connected', ...about } : { kind: 'disconnected', why, ...about });
  }

  #onProblem({ code }: LanyardError): void {
    const { clock, number, tell } = this.#parts;
    tell({ kind: 'problem', code, atMs: clock.nowMs(), appliance: number });
  }

  #onCertificate(facts: CertificateFacts): void {
    const { clock, number, tell } = this.#parts;
    const former = this.#certificate;
    this.#certificate = facts;
    const nowMs = clock.nowMs();
    const waitedMs = nowMs - (this.#wantsSinceMs ?? nowMs);
    this.#wantsSinceMs = undefined;
    const margin = former && { marginMs: former.notAfterMs - nowMs };
    const { notAfterMs } = facts;
    tell({
      kind: 'installed',
      notAfterMs,
      isFirst: former === undefined,
      waitedMs,
      ...margin,
      atMs: nowMs,
      appliance: number,
    });
  }
}
