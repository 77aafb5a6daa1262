/** One pretend appliance on virtual time: the real SDK on a board with flash, a clock and a line that can all misbehave. */
import { fixedAddresses, startAppliance } from '@lanyard/sdk';
import type { Appliance, CertificateFacts, CertificateReader, KeyMaker } from '@lanyard/sdk';
import type { Clock, LanyardError, Random, Timer } from '@lanyard/sdk/kernel';
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import { BoardClock } from '../../fleet/board-clock.ts';
import { Flash } from '../../fleet/flash.ts';
import type { FlashImage } from '../../fleet/flash.ts';
import type { Weather } from '../../scenarios/scenario.ts';
import type { Witness } from '../../world/happening.ts';
import type { Lan } from '../../world/lan.ts';
import { Line } from './line.ts';

export interface BoxParts {
  /** Its number in the run, from 0. */
  readonly number: number;
  readonly deviceId: string;
  /** Which hardware this is: a clone has the same device id and another serial number. */
  readonly serialNumber: string;
  readonly lan: Lan;
  readonly clock: Clock;
  readonly random: Random;
  /** The SDK's own when left out. */
  readonly keys?: KeyMaker;
  readonly reader?: CertificateReader;
  readonly trustedRoots?: string;
  readonly boots1970: boolean;
  readonly isSlowReader: boolean;
  readonly weather: () => Weather;
  readonly network: Network;
  readonly tell: Witness;
}

/** The way from the boxes to the broker. */
export interface Network {
  /** Why the broker cannot be reached from this box; undefined while it can. */
  obstacle(box: Box): LanyardError | undefined;
  admit(box: Box): Promise<LanyardError | undefined>;
  lineUp(box: Box): void;
  lineDown(box: Box): void;
  carry(box: Box, kind: UpKind, payload: Uint8Array): void;
}

/** A power cut tells nobody: the broker gives a silent line up after one and a half keep-alives. */
const BROKER_NOTICES_MS = 180_000;

export class Box {
  readonly number: number;
  readonly deviceId: string;
  readonly lan: Lan;
  readonly flash: Flash;
  readonly #parts: BoxParts;
  readonly #addresses: ReturnType<typeof fixedAddresses>;
  /** The certificate that it serves. */
  certificate: CertificateFacts | undefined;
  /** Since when it wants a certificate that it does not have; undefined while it wants none. */
  wantsSinceMs: number | undefined;
  /** Since when its name ought to point somewhere else; undefined while it is right. */
  movedAtMs: number | undefined;
  /** Since when power and network have let it reach the broker without a break; undefined while they do not. */
  reachableSinceMs: number | undefined;
  #board: BoardClock | undefined;
  #line: Line | undefined;
  #appliance: Appliance | undefined;
  #expiry: Timer | undefined;

  constructor(parts: BoxParts) {
    this.#parts = parts;
    this.number = parts.number;
    this.deviceId = parts.deviceId;
    this.lan = parts.lan;
    this.flash = new Flash({ onWritten: (bytes) => this.#tell({ kind: 'flash-written', bytes }) });
    this.#addresses = fixedAddresses([reported(parts.lan.lease(parts.serialNumber))]);
  }

  get isOn(): boolean {
    return this.#board !== undefined;
  }

  get isConnected(): boolean {
    return this.#line?.link.isUp === true;
  }

  get address(): string {
    return this.lan.lease(this.#parts.serialNumber);
  }

  async powerOn(why: string): Promise<void> {
    if (this.#board !== undefined) return;
    const { clock, random, keys, reader, trustedRoots, boots1970 } = this.#parts;
    const board = new BoardClock(clock, boots1970 ? 0 : undefined);
    this.#board = board;
    this.#line = this.#layLine(board);
    this.#tell({ kind: 'powered', isOn: true, why });
    const appliance = await startAppliance({
      link: this.#line.link,
      vault: this.flash,
      addresses: this.#addresses,
      ...(keys && { keys }),
      ...(reader && { certificates: reader }),
      ...(trustedRoots !== undefined && { trustedRoots }),
      clock: board,
      random,
    });
    // The power may have gone while it started.
    if (this.#board !== board) return;
    this.#appliance = appliance;
    // What began before the power went may end after it, unseen.
    appliance.on('certificate', (facts) => this.#board === board && this.#onInstalled(facts));
    appliance.on('problem', ({ code }) => this.#board === board && this.#tell({ kind: 'problem', code }));
    const status = appliance.status();
    this.#hold('certificate' in status ? status.certificate : undefined);
    if (this.certificate === undefined) this.wantsSinceMs ??= clock.nowMs();
  }

  /** Everything that is not on the flash is gone, and nobody is told. */
  cutPower(why: string): void {
    const line = this.#line;
    if (this.#board === undefined) return;
    const wasConnected = line?.link.isUp === true;
    this.#board.cutPower();
    this.#board = undefined;
    this.#line = undefined;
    this.#appliance = undefined;
    this.reachableSinceMs = undefined;
    this.#tell({ kind: 'powered', isOn: false, why });
    if (wasConnected) this.#parts.clock.setTimer(BROKER_NOTICES_MS, () => this.#lineDown(line, why));
  }

  /** Orderly: the broker is told, as by firmware that restarts itself. */
  async reboot(): Promise<void> {
    if (this.#board === undefined) return;
    const { clock } = this.#parts;
    const [board, line, appliance] = [this.#board, this.#line, this.#appliance];
    await appliance?.close('reboot');
    if (this.#board !== board) return;
    this.#board = undefined;
    this.#line = undefined;
    this.#appliance = undefined;
    this.#tell({ kind: 'powered', isOn: false, why: 'reboot' });
    if (line?.link.isUp === true) this.#lineDown(line, 'reboot');
    // The goodbye is on its way still.
    clock.setTimer(BOOT_MS, () => {
      board.cutPower();
      void this.powerOn('reboot');
    });
  }

  /** Keys and certificates are gone, the identity stays. */
  async factoryReset(): Promise<void> {
    this.cutPower('factory reset');
    this.flash.erase();
    this.wantsSinceMs = undefined;
    await this.powerOn('factory reset');
  }

  /** The flash goes back to `image`, as when an old backup is restored. */
  async restoreImage(image: FlashImage): Promise<void> {
    const wasOn = this.isOn;
    this.cutPower('restored image');
    this.flash.restore(image);
    if (wasOn) await this.powerOn('restored image');
  }

  /** DHCP gives it another address. */
  move(): void {
    this.movedAtMs = this.#parts.clock.nowMs();
    this.#tell({ kind: 'moved' });
    this.#addresses.change([reported(this.lan.renumber(this.#parts.serialNumber))]);
  }

  /** The network between it and the broker is gone or back; those on a line find out by silence. */
  networkChanged(isThere: boolean): void {
    if (isThere) this.#becomeReachable();
    else {
      this.reachableSinceMs = undefined;
      this.#line?.goSilent();
    }
  }

  /** The broker's end of the line broke. */
  hangUp(error: LanyardError): void {
    this.#line?.cut(error);
  }

  say(message: DownMessage): boolean {
    const line = this.#line;
    if (line === undefined || !line.say(message)) return false;
    this.#tell({ kind: 'told', what: message.kind, about: aboutOf(message) });
    if (message.kind === 'state' && message.state.todo.kind === 'request') {
      this.wantsSinceMs ??= this.#parts.clock.nowMs();
    }
    return true;
  }

  #layLine(board: BoardClock): Line {
    const { random, weather, network, isSlowReader } = this.#parts;
    const line: Line = new Line({
      clock: board,
      random,
      weather,
      mappingIdleMs: this.lan.site.mappingIdleMs,
      dawdleMs: isSlowReader ? SLOW_READER_MS : 0,
      obstacle: () => network.obstacle(this),
      admit: () => network.admit(this),
      onLine: (isUp) => {
        if (this.#line !== line) return;
        if (isUp) this.#lineUp();
        else this.#lineDown(line, 'line');
      },
      onPayload: (kind, payload) => network.carry(this, kind, payload),
    });
    this.#becomeReachable();
    return line;
  }

  #lineUp(): void {
    this.#tell({ kind: 'connected' });
    this.#parts.network.lineUp(this);
  }

  #lineDown(line: Line | undefined, why: string): void {
    this.#tell({ kind: 'disconnected', why });
    // A new line of the same appliance may be up already.
    if (this.#line === line || this.#line?.link.isUp !== true) this.#parts.network.lineDown(this);
  }

  #becomeReachable(): void {
    if (this.#board === undefined || this.#parts.network.obstacle(this) !== undefined) return;
    this.reachableSinceMs ??= this.#parts.clock.nowMs();
  }

  #onInstalled(facts: CertificateFacts): void {
    const nowMs = this.#parts.clock.nowMs();
    const former = this.certificate;
    const waitedMs = this.wantsSinceMs === undefined ? 0 : nowMs - this.wantsSinceMs;
    this.wantsSinceMs = undefined;
    this.#hold(facts);
    this.#tell({
      kind: 'installed',
      notAfterMs: facts.notAfterMs,
      isFirst: former === undefined,
      waitedMs,
      ...(former && { marginMs: former.notAfterMs - nowMs }),
    });
  }

  #hold(facts: CertificateFacts | undefined): void {
    const { clock } = this.#parts;
    this.#expiry?.cancel();
    this.certificate = facts;
    if (facts === undefined) return;
    const leftMs = facts.notAfterMs - clock.nowMs();
    if (leftMs > 0) this.#expiry = clock.setTimer(leftMs, () => this.#tell({ kind: 'expired' }));
  }

  #tell(fact: Untold): void {
    this.#parts.tell({ ...fact, atMs: this.#parts.clock.nowMs(), appliance: this.number });
  }
}

type Happened = Parameters<Witness>[0];
/** A fact about this box, without when and who. */
type Untold = Happened extends infer Each
  ? Each extends { appliance: number }
    ? Omit<Each, 'atMs' | 'appliance'>
    : never
  : never;

/** A busy processor that gets round to its messages now and then, before the SDK gives an answer up. */
const SLOW_READER_MS = 10_000;

/** From goodbye to the first instruction of the firmware. */
const BOOT_MS = 20_000;

function aboutOf(message: DownMessage): string {
  switch (message.kind) {
    case 'state':
      return message.state.todo.kind;
    case 'certificate':
      return message.certificate.kind;
    case 'problem':
      return message.problem.code;
    case 'revocation':
      return message.wish.fingerprint;
  }
}

function reported(address: string): { address: string; interface: string; isDefaultRoute: boolean } {
  return { address, interface: 'eth0', isDefaultRoute: true };
}
