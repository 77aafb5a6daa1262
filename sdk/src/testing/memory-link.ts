/** A link without a network: both ends in one object, that can be cut, slowed, and made to lose messages. */
import type { Clock, Timer } from '../kernel/clock.ts';
import { LanyardError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import type { Link, LinkEvent } from '../link/link.ts';
import { ReconnectSchedule } from '../link/reconnect-schedule.ts';
import { decodeBody } from '../protocol/body.ts';
import { encodeDown, parseDown } from '../protocol/down-message.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import type { Parsed } from '../protocol/shape.ts';
import type { UpKind } from '../protocol/topics.ts';
import { encodeUp, parseUp } from '../protocol/up-message.ts';
import type { UpMessage } from '../protocol/up-message.ts';
import { seededRandom } from './seeded-random.ts';

export interface MemoryLinkParts {
  readonly clock: Clock;
  /** For the pauses between attempts. Default: the same dice every time. */
  readonly random?: Random;
}

/** As many as the real link leaves unacknowledged. */
const IN_FLIGHT = 16;

/**
 * The appliance holds it as a `Link`; the test or simulator is the broker with `onSaid` and `say`. Everything takes
 * at least one timer of the clock, and every message goes through the wire's own encoding.
 */
export class MemoryLink implements Link {
  readonly #clock: Clock;
  readonly #schedule: ReconnectSchedule;
  readonly #timers = new Set<Timer>();
  #onEvent: (event: LinkEvent) => void = () => {};
  /** Reads what leaves, and tells what its arrival does. */
  #receive: (kind: UpKind, payload: Uint8Array) => () => void = () => () => {};
  #onLine: (isUp: boolean) => void = () => {};
  #admit: () => Promise<LanyardError | undefined> = async () => undefined;
  #isLost: (message: UpMessage | DownMessage) => boolean = () => false;
  /** Why the broker cannot be reached; undefined while it can. */
  #outage: LanyardError | undefined;
  #delayMs = 0;
  #upSinceMs: number | undefined;
  #isStarted = false;
  #inFlight = 0;
  #lastArrivalMs = 0;

  constructor({ clock, random = seededRandom(1) }: MemoryLinkParts) {
    this.#clock = clock;
    this.#schedule = new ReconnectSchedule({ random });
  }

  get isUp(): boolean {
    return this.#upSinceMs !== undefined;
  }

  onEvent(listener: (event: LinkEvent) => void): void {
    this.#onEvent = listener;
  }

  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#after(this.#delayMs, () => void this.#connect());
  }

  /** What was said before still arrives, as it does with the real link. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    if (this.isUp) this.#onLine(false);
    this.#upSinceMs = undefined;
    if (this.#inFlight === 0) this.#forgetTimers();
  }

  send(message: UpMessage): boolean {
    if (!this.isUp || this.#inFlight >= IN_FLIGHT) return false;
    if (this.#isLost(message)) return true;
    const arrive = this.#receive(message.kind, encodeUp(message));
    this.#inFlight += 1;
    this.#carry(() => {
      this.#inFlight -= 1;
      arrive();
    });
    return true;
  }

  setReconnectSpread(spreadMs: number): void {
    this.#schedule.setSpread(spreadMs);
  }

  /** The broker's end: called with each message of the appliance. */
  onSaid(listener: (message: UpMessage) => void): void {
    this.#receive = (kind, payload) => {
      // Read before it travels, so that a test whose appliance says nonsense fails where it says it.
      const said = reread(parseUp(kind, bodyOf(payload)));
      return () => listener(said);
    };
  }

  /** The broker's end in place of `onSaid`, for one that reads payloads by itself. */
  onPayload(listener: (kind: UpKind, payload: Uint8Array) => void): void {
    this.#receive = (kind, payload) => () => listener(kind, payload);
  }

  /** The broker's end: called when a line comes up, and when it went down. */
  onLine(listener: (isUp: boolean) => void): void {
    this.#onLine = listener;
  }

  /** The broker's end: asked at every attempt to connect; an error refuses it. */
  admitBy(admit: () => Promise<LanyardError | undefined>): void {
    this.#admit = admit;
  }

  /** The broker's end: says something to the appliance. False: the line is down. */
  say(message: DownMessage): boolean {
    if (!this.isUp) return false;
    if (this.#isLost(message)) return true;
    const heard = reread(parseDown(message.kind, bodyOf(encodeDown(message))));
    this.#carry(() => {
      if (this.isUp) this.#onEvent({ kind: 'message', message: heard });
    });
    return true;
  }

  /** Ends the line with everything under way. The appliance tries again, in vain until `restore` if `isLasting`. */
  cut({ isLasting = false, error = new LanyardError('broker-unreachable') } = {}): void {
    if (isLasting) this.#outage = error;
    if (this.#upSinceMs === undefined) return;
    const upMs = this.#clock.monotonicMs() - this.#upSinceMs;
    this.#goDown(error, this.#schedule.afterLoss(error, upMs));
  }

  /** Ends an outage; the appliance finds out at its next attempt. */
  restore(): void {
    this.#outage = undefined;
  }

  /** From now on messages and attempts take this long. Their order stays. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** From now on loses the messages, of either side, that the predicate picks. */
  lose(isLost: (message: UpMessage | DownMessage) => boolean): void {
    this.#isLost = isLost;
  }

  async #connect(): Promise<void> {
    if (!this.#isStarted || this.isUp) return;
    const refusal = this.#outage ?? (await this.#admit());
    if (!this.#isStarted || this.isUp) return;
    if (refusal) return this.#goDown(refusal, this.#schedule.afterFailure(refusal));
    this.#upSinceMs = this.#clock.monotonicMs();
    this.#onLine(true);
    this.#onEvent({ kind: 'up' });
  }

  #goDown(error: LanyardError, waitMs: number): void {
    this.#forgetTimers();
    if (this.isUp) this.#onLine(false);
    this.#upSinceMs = undefined;
    this.#after(waitMs + this.#delayMs, () => void this.#connect());
    this.#onEvent({ kind: 'down', error, retryAtMs: this.#clock.nowMs() + waitMs });
  }

  #carry(arrive: () => void): void {
    const nowMs = this.#clock.monotonicMs();
    // A line that became faster does not let a message overtake an earlier one.
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + this.#delayMs);
    this.#after(this.#lastArrivalMs - nowMs, arrive);
  }

  #after(delayMs: number, act: () => void): void {
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
  }

  #forgetTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#inFlight = 0;
    this.#lastArrivalMs = 0;
  }
}

function bodyOf(payload: Uint8Array): unknown {
  return reread(decodeBody(payload));
}

function reread<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new LanyardError('internal', { message: `a message that the other side refuses: ${parsed.message}` });
}
