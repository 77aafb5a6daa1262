/** An appliance as small as one can be: it asks, gets its certificate and comes back when it loses the broker. No SDK. */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { fullJitter, randomId } from '@lanyard/sdk/kernel';
import type { Clock, Random, Timer } from '@lanyard/sdk/kernel';
import type { DownMessage, Hello, IssuedCertificate, State, UpMessage } from '@lanyard/sdk/protocol';
import type { Happening, Witness } from '../../world/happening.ts';
import { LightLine } from './light-line.ts';
import type { LightCredentials } from './light-line.ts';
import { makeLightKey, namesRequest } from '../../fleet/light-request.ts';
import type { Member, Standing } from './member.ts';

export interface LightClientParts {
  /** In the run, from 0. */
  readonly number: number;
  readonly deviceId: string;
  /** What it was named at the factory. */
  readonly name: string;
  readonly credentials: LightCredentials;
  readonly door: { readonly host: string; readonly port: number };
  readonly dial: (host: string, port: number) => Socket;
  readonly lan: { lease(client: string): string; renumber(client: string): string };
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: Witness;
}

interface Request {
  readonly der: Uint8Array;
  readonly keyHash: string;
}

type Fact = Happening extends infer Each ? (Each extends unknown ? Omit<Each, 'atMs' | 'appliance'> : never) : never;

/** As the SDK's: once a second at first, once in ten minutes in the end. */
const UNREACHABLE = { baseMs: 1_000, capMs: 600_000 };
const OVERLOADED = { baseMs: 60_000, capMs: 600_000 };

export class LightClient implements Member {
  readonly #parts: LightClientParts;
  #isOn = false;
  #bootId = '';
  #line: LightLine | undefined;
  #isUp = false;
  #retry: Timer | undefined;
  #failures = 0;
  #spreadMs: number | undefined;
  /** What it asks with, or is going to. */
  #request: Request | undefined;
  #hasAsked = false;
  #certificate: NonNullable<Hello['certificate']> | undefined;
  /** Since when it wants a certificate. */
  #wantsSinceMs: number | undefined;
  #movedAtMs: number | undefined;

  constructor(parts: LightClientParts) {
    this.#parts = parts;
  }

  standing(): Standing {
    return { isOn: this.#isOn, isConnected: this.#isUp, isCertified: this.#certificate !== undefined };
  }

  /** Makes the key and the request that it will ask with, before anybody waits for them. */
  prepare(): void {
    const key = makeLightKey();
    // What the key would serve is nobody's business here: only its request is kept.
    this.#request = { der: namesRequest(key, [this.#parts.name]), keyHash: key.hash };
  }

  async powerOn(why: string): Promise<void> {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#bootId = randomId(this.#parts.random);
    this.#failures = 0;
    this.#spreadMs = undefined;
    if (this.#certificate === undefined) this.#wantsSinceMs ??= this.#parts.clock.nowMs();
    this.#tell({ kind: 'powered', isOn: true, why });
    this.#dial();
  }

  async powerCut(why: string): Promise<void> {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#leave('power cut')?.cut();
    this.#tell({ kind: 'powered', isOn: false, why });
  }

  async reboot(): Promise<void> {
    if (!this.#isOn) return;
    this.#say({ kind: 'bye', bye: { id: this.#id(), bootId: this.#bootId, reason: 'reboot' } });
    this.#isOn = false;
    this.#leave('reboot')?.hangUp();
    await this.powerOn('reboot');
  }

  async factoryReset(): Promise<void> {
    await this.powerCut('factory-reset');
    this.#certificate = undefined;
    this.#request = undefined;
    this.#hasAsked = false;
    await this.powerOn('factory-reset');
  }

  move(): void {
    this.#parts.lan.renumber(this.#parts.deviceId);
    this.#movedAtMs = this.#parts.clock.nowMs();
    this.#tell({ kind: 'moved' });
    if (this.#isUp) this.#introduce();
  }

  #dial(): void {
    const { dial, door, deviceId, credentials, clock } = this.#parts;
    let upAtMs: number | undefined;
    const hop = dial(door.host, door.port);
    const line: LightLine = new LightLine({
      hop,
      host: door.host,
      deviceId,
      credentials,
      clock,
      onUp: () => {
        if (this.#line !== line) return line.cut();
        upAtMs = clock.monotonicMs();
        this.#isUp = true;
        this.#tell({ kind: 'connected' });
        this.#introduce();
      },
      onMessage: (message) => this.#line === line && this.#onMessage(message),
      onAcknowledged: () => {},
      onClosed: (why, isOverload) => {
        // One that was left behind by a reboot ends after its successor has begun.
        if (this.#line === line) this.#onClosed(why, isOverload, upAtMs);
      },
    });
    this.#line = line;
  }

  /** @returns the line, of which nothing more is heard. */
  #leave(why: string): LightLine | undefined {
    const line = this.#line;
    this.#retry?.cancel();
    this.#line = undefined;
    if (this.#isUp) this.#tell({ kind: 'disconnected', why });
    this.#isUp = false;
    return line;
  }

  #onClosed(why: string, isOverload: boolean, upAtMs: number | undefined): void {
    const { clock, random } = this.#parts;
    this.#leave(why);
    if (upAtMs === undefined) this.#tell({ kind: 'problem', code: 'broker-unreachable' });
    const isSteady = upAtMs !== undefined && clock.monotonicMs() - upAtMs >= 60_000;
    this.#failures = isSteady ? 1 : this.#failures + 1;
    const backoffMs = fullJitter(isOverload ? OVERLOADED : UNREACHABLE, this.#failures, random);
    const spreadMs = upAtMs === undefined ? 0 : Math.floor(random.uniform() * (this.#spreadMs ?? 0));
    this.#retry = clock.setTimer(Math.max(backoffMs, spreadMs), () => this.#dial());
  }

  #introduce(): void {
    const { clock, lan, deviceId } = this.#parts;
    const held = this.#certificate === undefined ? {} : { certificate: this.#certificate };
    const pending = this.#hasAsked && this.#request !== undefined ? { pendingKeyHash: this.#request.keyHash } : {};
    const address = { address: lan.lease(deviceId), interface: 'eth0', isDefaultRoute: true };
    const about = { sdkVersion: 'light', model: 'Light client', rebinding: 'unknown' } as const;
    const who = { id: this.#id(), bootId: this.#bootId, clockMs: clock.nowMs(), addresses: [address] };
    this.#say({ kind: 'hello', hello: { ...who, ...held, ...pending, ...about } });
  }

  #onMessage(message: DownMessage): void {
    switch (message.kind) {
      case 'state':
        this.#tell({ kind: 'told', what: 'state', about: message.state.todo.kind });
        return this.#onState(message.state);
      case 'certificate':
        this.#tell({ kind: 'told', what: 'certificate', about: message.certificate.kind });
        if (message.certificate.kind === 'issued') this.#install(message.certificate);
        return;
      case 'problem': {
        const { code, retryable, retryAfterSeconds } = message.problem;
        this.#tell({ kind: 'told', what: 'problem', about: code });
        if (!retryable) this.#request = undefined;
        if (this.#request === undefined) return;
        this.#retry?.cancel();
        // Whoever is told no time waits as long as an order usually takes.
        this.#retry = this.#parts.clock.setTimer((retryAfterSeconds ?? 30) * 1000, () => this.#introduce());
        return;
      }
      case 'revocation':
        // Its keys are stand-ins that sign nothing.
        return;
    }
  }

  #onState(state: State): void {
    const { clock, lan, deviceId } = this.#parts;
    this.#spreadMs = state.reconnectSpreadSeconds * 1000;
    if (this.#movedAtMs !== undefined && state.published.includes(lan.lease(deviceId))) {
      this.#tell({ kind: 'published', waitedMs: clock.nowMs() - this.#movedAtMs });
      this.#movedAtMs = undefined;
    }
    if (state.todo.kind !== 'request') return;
    this.#wantsSinceMs ??= clock.nowMs();
    if (this.#request === undefined) {
      const key = makeLightKey();
      this.#request = { der: namesRequest(key, state.names), keyHash: key.hash };
    }
    this.#hasAsked = true;
    this.#say({ kind: 'csr', csr: { id: this.#id(), der: this.#request.der } });
  }

  #install({ chain, fingerprint, keyHash, notAfterMs }: IssuedCertificate): void {
    const { clock } = this.#parts;
    if (keyHash !== this.#request?.keyHash && keyHash !== this.#certificate?.keyHash) return;
    if (this.#certificate?.fingerprint !== fingerprint) {
      const leaf = new X509Certificate(chain);
      if (leaf.fingerprint256.replaceAll(':', '').toLowerCase() !== fingerprint || !leaf.checkHost(this.#parts.name)) {
        return this.#tell({ kind: 'problem', code: 'certificate-refused' });
      }
      const former = this.#certificate;
      const waitedMs = clock.nowMs() - (this.#wantsSinceMs ?? clock.nowMs());
      const margin = former && { marginMs: former.notAfterMs - clock.nowMs() };
      this.#certificate = { fingerprint, keyHash, notAfterMs };
      this.#request = undefined;
      this.#hasAsked = false;
      this.#wantsSinceMs = undefined;
      this.#tell({ kind: 'installed', notAfterMs, isFirst: former === undefined, waitedMs, ...margin });
    }
    this.#say({ kind: 'installed', installed: { id: this.#id(), fingerprint } });
  }

  #say(message: UpMessage): void {
    if (!this.#isUp || this.#line === undefined) return;
    this.#line.say(message);
    this.#tell({ kind: 'said', what: message.kind });
  }

  #id(): string {
    return randomId(this.#parts.random);
  }

  #tell(fact: Fact): void {
    const { tell, clock, number } = this.#parts;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of a union’s member, put back together
    tell({ ...fact, atMs: clock.nowMs(), appliance: number } as Happening);
  }
}
