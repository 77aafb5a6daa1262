/** One appliance of the pretend world: real firmware, in a LAN behind a NAT. */
import { fixedAddresses } from '@lanyard/sdk';
import type { ApplianceEvents, ApplianceOptions, ApplianceStatus, CertificateFacts } from '@lanyard/sdk';
import { LanyardError, deadline } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import type { Lan } from '../world/lan.ts';
import type { NatGateway } from '../world/nat-gateway.ts';
import { Firmware } from './firmware.ts';

export interface VirtualApplianceParts {
  readonly deviceId: string;
  /** The name that it was given at the factory. */
  readonly name: string;
  readonly flash: string;
  readonly lan: Lan;
  readonly gateway: NatGateway;
  readonly broker: string;
  /** PEM roots that certificates must chain to; none: the system's. */
  readonly trustedRoots: readonly string[];
  readonly clock: Clock;
  /** Address of this machine that the web page listens on; 127.0.0.1 when left out. */
  readonly webHost?: string;
  readonly logger?: NonNullable<ApplianceOptions['logger']>;
}

type Watcher = <K extends keyof ApplianceEvents>(kind: K, fact: ApplianceEvents[K]) => void;

export class VirtualAppliance {
  readonly #parts: VirtualApplianceParts;
  readonly #addresses: ReturnType<typeof fixedAddresses>;
  readonly #firmware: Firmware;
  readonly #watchers = new Set<Watcher>();

  constructor(parts: VirtualApplianceParts) {
    const { deviceId, flash, lan, gateway, broker, trustedRoots, logger, webHost } = parts;
    this.#parts = parts;
    this.#addresses = fixedAddresses([reported(lan.lease(deviceId))]);
    this.#firmware = new Firmware({
      flash,
      broker,
      dial: gateway.dial,
      addresses: this.#addresses,
      ...(trustedRoots.length > 0 && { trustedRoots }),
      ...(logger && { sdk: { logger } }),
      ...(webHost !== undefined && { web: { host: webHost, port: 0 } }),
    });
    this.#firmware.watch((kind, fact) => {
      for (const watcher of this.#watchers) watcher(kind, fact);
    });
  }

  /** Called with every event of the SDK, over all reboots. */
  watch(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  get deviceId(): string {
    return this.#parts.deviceId;
  }

  get name(): string {
    return this.#parts.name;
  }

  get lan(): Lan {
    return this.#parts.lan;
  }

  get address(): string {
    return this.#parts.lan.lease(this.deviceId);
  }

  status(): ApplianceStatus | undefined {
    return this.#firmware.status();
  }

  /** What it serves; undefined while that is self-signed. */
  certificate(): CertificateFacts | undefined {
    const status = this.status();
    return status && 'certificate' in status ? status.certificate : undefined;
  }

  async powerOn(): Promise<void> {
    await this.#firmware.boot();
    this.#plugIn();
  }

  async shutDown(): Promise<void> {
    this.lan.detach(this.address);
    await this.#firmware.shutDown();
  }

  async powerCut(): Promise<void> {
    this.lan.detach(this.address);
    await this.#firmware.powerCut();
  }

  async reboot(): Promise<void> {
    await this.#firmware.reboot();
    this.#plugIn();
  }

  async factoryReset(): Promise<void> {
    await this.#firmware.factoryReset();
    this.#plugIn();
  }

  /** DHCP gives it another address. */
  move(): void {
    this.#addresses.change([reported(this.lan.renumber(this.deviceId))]);
  }

  /**
   * Resolves as soon as `isTrue` holds after an event of the SDK, or holds already.
   * @throws LanyardError `internal` after `withinMs`, saying how it stands.
   */
  async until(what: string, isTrue: (appliance: this) => boolean, withinMs: number): Promise<void> {
    using limit = deadline(this.#parts.clock, withinMs);
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isTrue(this)) return;
        this.#watchers.delete(look);
        resolve();
      };
      limit.signal.addEventListener('abort', () => {
        this.#watchers.delete(look);
        const status = this.status();
        const why = status?.lastProblem ? `: ${status.lastProblem.message}` : '';
        reject(
          new LanyardError('internal', {
            message: `${this.deviceId} is not ${what} after ${withinMs} ms (${status?.kind}${why})`,
          }),
        );
      });
      this.#watchers.add(look);
      look();
    });
  }

  #plugIn(): void {
    this.lan.attach(this.address, { host: this.#parts.webHost ?? '127.0.0.1', port: this.#firmware.port });
  }
}

function reported(address: string): { address: string; interface: string; isDefaultRoute: boolean } {
  return { address, interface: 'eth0', isDefaultRoute: true };
}
