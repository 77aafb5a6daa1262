/** One appliance of a story: the SDK in a little firmware on loopback, and a browser in its LAN. */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Agent } from 'node:https';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { fixedAddresses } from '@lanyard/sdk';
import type { ApplianceStatus, CertificateFacts } from '@lanyard/sdk';
import { systemClock } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { Firmware } from '../../simulator/src/fleet/firmware.ts';

export interface BoxParts {
  readonly deviceId: string;
  /** What the factory said it is called. */
  readonly name: string;
  readonly flash: string;
  readonly broker: string;
  readonly rootPem: string;
  readonly clock?: Clock;
}

export interface Page {
  readonly body: string;
  /** The visitor's port: the same for requests over the same connection. */
  readonly connection: number | undefined;
  /** SHA-256 of the certificate that was shown, lower-case hex; absent when the connection was there already. */
  readonly fingerprint: string | undefined;
  /** Its key's SubjectPublicKeyInfo in hex. */
  readonly publicKey: string | undefined;
  /** The certificate that was shown. */
  readonly pem: string | undefined;
}

/** Everything here happens within a second or two; a loaded machine gets more. */
const PATIENCE_MS = 25_000;

export class Box {
  readonly deviceId: string;
  readonly name: string;
  readonly flash: string;
  readonly #rootPem: string;
  readonly #addresses = fixedAddresses([reported('192.168.0.20')]);
  readonly #firmware: Firmware;
  readonly #watchers = new Set<() => void>();

  constructor({ deviceId, name, flash, broker, rootPem, clock = systemClock }: BoxParts) {
    this.deviceId = deviceId;
    this.name = name;
    this.flash = flash;
    this.#rootPem = rootPem;
    const trust = { trustedRoots: [rootPem], addresses: this.#addresses };
    this.#firmware = new Firmware({ flash, broker, ...trust, sdk: { clock } });
    this.#firmware.watch(() => {
      for (const look of this.#watchers) look();
    });
  }

  powerOn(): Promise<void> {
    return this.#firmware.boot();
  }

  reboot(): Promise<void> {
    return this.#firmware.reboot();
  }

  powerCut(): Promise<void> {
    return this.#firmware.powerCut();
  }

  factoryReset(): Promise<void> {
    return this.#firmware.factoryReset();
  }

  powerOff(): Promise<void> {
    return this.#firmware.shutDown();
  }

  moveTo(address: string): void {
    this.#addresses.change([reported(address)]);
  }

  get status(): ApplianceStatus | undefined {
    return this.#firmware.status();
  }

  get certificate(): CertificateFacts | undefined {
    const { status } = this;
    return status && 'certificate' in status ? status.certificate : undefined;
  }

  /** Resolves when an event of the SDK makes it true, or at once. */
  async until(isTrue: (box: this) => boolean): Promise<void> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isTrue(this) && !limit.aborted) return;
        this.#watchers.delete(look);
        if (limit.aborted) reject(new Error(`still ${JSON.stringify(this.status)}`));
        else resolve();
      };
      this.#watchers.add(look);
      limit.addEventListener('abort', look);
      look();
    });
  }

  /** The newest certificate, once there is one other than `former`. */
  async certified(former?: CertificateFacts): Promise<CertificateFacts> {
    await this.until(({ certificate }) => certificate !== undefined && certificate.fingerprint !== former?.fingerprint);
    if (this.certificate === undefined) throw new Error('no certificate');
    return this.certificate;
  }

  /** As a browser opens it: chain and name are verified. @throws what the browser would complain about. */
  async open(agent: Agent | false = false): Promise<Page> {
    const place = { host: '127.0.0.1', port: this.#firmware.port, servername: this.name };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ ...place, ca: this.#rootPem, agent, timeout: PATIENCE_MS }, resolve)
        .on('error', reject)
        .end();
    });
    const connection = response.socket.localPort;
    // Node shows the certificate to the first request of a connection only.
    const certificate = response.socket instanceof TLSSocket ? response.socket.getPeerX509Certificate() : undefined;
    const publicKey = certificate?.publicKey.export({ type: 'spki', format: 'der' }).toString('hex');
    const fingerprint = certificate?.fingerprint256.replaceAll(':', '').toLowerCase();
    return { body: await text(response), connection, fingerprint, publicKey, pem: certificate?.toString() };
  }
}

function reported(address: string): { address: string; interface: string; isDefaultRoute: boolean } {
  return { address, interface: 'eth0', isDefaultRoute: true };
}
