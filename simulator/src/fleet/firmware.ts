/** What a vendor would write around the SDK: boot, a web page, reboot, factory reset, power cut. */
import { rm } from 'node:fs/promises';
import type { Server } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileIdentity, startAppliance } from '@lanyard/sdk';
import type { AddressSource, Appliance, ApplianceEvents, ApplianceOptions, ApplianceStatus } from '@lanyard/sdk';
import { webPage } from './web-page.ts';

export interface FirmwareParts {
  /** The flash: `identity/` from the factory, `vault/` of the SDK. */
  readonly flash: string;
  /** `mqtts://host:port`. */
  readonly broker: string;
  /** How connections leave the LAN. */
  readonly dial?: Dial;
  readonly addresses?: AddressSource;
  /** PEM roots that certificates must chain to; the system's when absent. */
  readonly trustedRoots?: readonly string[];
  readonly sdk?: Pick<ApplianceOptions, 'logger' | 'clock' | 'random'>;
  /** Where the web page listens. */
  readonly web?: { readonly host: string; readonly port: number };
}

export type Dial = (host: string, port: number) => Socket;

/** The web page's default: a free port of this machine only. */
const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;

export class Firmware {
  readonly #parts: FirmwareParts;
  readonly #watchers: (<K extends keyof ApplianceEvents>(kind: K, fact: ApplianceEvents[K]) => void)[] = [];
  readonly #lines = new Set<Socket>();
  #appliance: Appliance | undefined;
  #server: Server | undefined;
  #booting: Promise<void> = Promise.resolve();

  constructor(parts: FirmwareParts) {
    this.#parts = parts;
  }

  /** Called with every event of the SDK, over all reboots. */
  watch(watcher: <K extends keyof ApplianceEvents>(kind: K, fact: ApplianceEvents[K]) => void): void {
    this.#watchers.push(watcher);
  }

  /** Comes up with what the flash holds; the network may come later. */
  async boot(): Promise<void> {
    const booting = this.#comeUp();
    // Whoever switches it off in the middle waits for this: what comes up afterwards would never be ended.
    this.#booting = booting.catch(() => undefined);
    await booting;
  }

  async #comeUp(): Promise<void> {
    const { flash, broker, dial = dialDirectly, addresses, trustedRoots, sdk, web = LOOPBACK } = this.#parts;
    const identity = await fileIdentity(join(flash, 'identity'));
    const appliance = await startAppliance({
      broker,
      identity,
      vault: join(flash, 'vault'),
      model: 'Pretend Appliance',
      firmwareVersion: '1.0.0',
      connect: (host, port) => this.#remember(dial(host, port)),
      ...(addresses && { addresses }),
      ...(trustedRoots && { trustedRoots }),
      ...sdk,
    });
    for (const kind of ['certificate', 'state', 'problem'] as const) {
      appliance.on(kind, (fact) => {
        for (const watcher of this.#watchers) watcher(kind, fact);
      });
    }
    this.#appliance = appliance;
    this.#server = await appliance.serve(
      webPage(identity.deviceId, () => appliance.status()),
      web,
    );
  }

  /** The port that the web page really has. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  status(): ApplianceStatus | undefined {
    return this.#appliance?.status();
  }

  /** Orderly: the broker is told. */
  async shutDown(): Promise<void> {
    await this.#booting;
    await this.#appliance?.close('shutdown');
    this.#appliance = undefined;
    await this.#endWeb();
  }

  async reboot(): Promise<void> {
    await this.#appliance?.close('reboot');
    this.#appliance = undefined;
    await this.#endWeb();
    await this.boot();
  }

  /** Forgets everything but who it is: keys and certificates are gone, the identity stays. */
  async factoryReset(): Promise<void> {
    await this.shutDown();
    await rm(join(this.#parts.flash, 'vault'), { recursive: true, force: true });
    await this.boot();
  }

  /** Everything that was not on the flash is gone, and nobody is told. */
  async powerCut(): Promise<void> {
    await this.#booting;
    for (const line of this.#lines) line.destroy();
    await this.#appliance?.close();
    this.#appliance = undefined;
    await this.#endWeb();
  }

  #remember(line: Socket): Socket {
    this.#lines.add(line);
    line.once('close', () => this.#lines.delete(line));
    return line;
  }

  async #endWeb(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

const dialDirectly: Dial = (host, port) => connect({ host, port });
