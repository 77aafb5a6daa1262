/** An appliance's line to the broker as the weather and its site's NAT make it: slow, lossy, breaking, half-open. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Random, Timer } from '@lanyard/sdk/kernel';
import { MemoryLink } from '@lanyard/sdk/testing';
import type { DownMessage, UpKind } from '@lanyard/sdk/protocol';
import type { Weather } from '../../scenarios/scenario.ts';

export interface LineParts {
  /** Of the appliance's board: everything on the line dies with its power. */
  readonly clock: Clock;
  readonly random: Random;
  readonly weather: () => Weather;
  /** The NAT forgets a line on which nothing was said for so long. */
  readonly mappingIdleMs: number;
  /** What the appliance's own slowness adds to every message. */
  readonly dawdleMs: number;
  /** Why the broker cannot be reached from here; undefined while it can. */
  readonly obstacle: () => LanyardError | undefined;
  readonly admit: () => Promise<LanyardError | undefined>;
  readonly onLine: (isUp: boolean) => void;
  readonly onPayload: (kind: UpKind, payload: Uint8Array) => void;
}

/** The SDK pings after this much silence (sdk/src/link/mqtt-link.ts), and so keeps NATs from forgetting. */
const KEEPALIVE_MS = 120_000;
/** MQTT 3.1.1 §3.1.2.10: silence for one and a half keep-alives is the end. */
const NOTICED_MS = 1.5 * KEEPALIVE_MS;

export class Line {
  readonly link: MemoryLink;
  readonly #parts: LineParts;
  #breaking: Timer | undefined;
  #isHalfOpen = false;

  constructor(parts: LineParts) {
    this.#parts = parts;
    this.link = new MemoryLink(parts);
    this.link.admitBy(async () => parts.obstacle() ?? (await parts.admit()));
    this.link.onPayload((kind, payload) => {
      this.#passNat();
      parts.onPayload(kind, payload);
    });
    this.link.onLine((isUp) => this.#turn(isUp));
    this.link.lose(() => this.#isHalfOpen || this.#isUnlucky());
    this.#slow();
  }

  say(message: DownMessage): boolean {
    this.#passNat();
    return this.link.say(message);
  }

  /** What the network does when a cable is pulled: both ends find out when nothing is heard for long enough. */
  goSilent(): void {
    if (!this.link.isUp || this.#isHalfOpen) return;
    this.#isHalfOpen = true;
    this.#breakAfter(NOTICED_MS);
  }

  /** Both ends are told at once. */
  cut(error?: LanyardError): void {
    this.link.cut(error === undefined ? {} : { error });
  }

  #turn(isUp: boolean): void {
    this.#breaking?.cancel();
    this.#isHalfOpen = false;
    this.#parts.onLine(isUp);
    if (isUp) this.#age();
  }

  /** Decides at its beginning how and when the line ends, if the weather has it end. */
  #age(): void {
    const { random, weather } = this.#parts;
    this.#slow();
    if (this.#isForgettable) return this.#passNat();
    const { lineLife, halfOpen } = weather();
    if (lineLife === undefined) return;
    const lifeMs = -Math.log(1 - random.uniform()) * lineLife;
    this.#breakAfter(lifeMs, random.uniform() < halfOpen);
  }

  /** Shorter than the pings are apart. */
  get #isForgettable(): boolean {
    return this.#parts.mappingIdleMs < KEEPALIVE_MS;
  }

  /** Every message makes the NAT remember the line for a while more. */
  #passNat(): void {
    if (!this.#isForgettable || !this.link.isUp || this.#isHalfOpen) return;
    this.#breakAfter(this.#parts.mappingIdleMs, true);
  }

  #breakAfter(delayMs: number, isSilent = false): void {
    this.#breaking?.cancel();
    this.#breaking = this.#parts.clock.setTimer(delayMs, () => {
      if (isSilent) this.goSilent();
      else this.cut(new LanyardError('broker-unreachable', { message: 'the line broke' }));
    });
  }

  #isUnlucky(): boolean {
    const { loss } = this.#parts.weather();
    return loss > 0 && this.#parts.random.uniform() < loss;
  }

  #slow(): void {
    const { random, weather, dawdleMs } = this.#parts;
    const { from, to } = weather().latency;
    this.link.slow(Math.round(from + random.uniform() * (to - from)) + dawdleMs);
  }
}
