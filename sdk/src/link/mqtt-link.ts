/** The link over MQTT 3.1.1 and mutual TLS: keeps one line to a broker for as long as it is started. */
import type { Duplex } from 'node:stream';
import type { Identity } from '../identity/identity.ts';
import { deadline, sleep } from '../kernel/clock.ts';
import type { Clock } from '../kernel/clock.ts';
import { LanyardError, describeError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { UpMessage } from '../protocol/up-message.ts';
import { parseBrokerUrl } from './broker-url.ts';
import type { BrokerAddress } from './broker-url.ts';
import { asBrokerError, dialBroker } from './dial-broker.ts';
import type { Connect } from './dial-broker.ts';
import type { Link, LinkEvent } from './link.ts';
import { MqttSession } from './mqtt-session.ts';
import { ReconnectSchedule, isOverload } from './reconnect-schedule.ts';

export interface MqttLinkParts {
  /** `mqtts://host:port`, tried in turn, first the one that worked last. */
  readonly brokerUrls: readonly string[];
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** While the clock shows an earlier time, the dates of the broker's certificate are ignored. Default: never. */
  readonly clockFloorMs?: number;
  readonly keepaliveSeconds?: number;
  /** Makes the hop below TLS. Default: TCP. */
  readonly connect?: Connect;
}

/** Shorter than what NATs forget: many do after five minutes, RFC 5382 or not. */
const KEEPALIVE_SECONDS = 120;
/** TCP, TLS, CONNECT and SUBSCRIBE together: six round trips, and a slow appliance's signature. */
const CONNECT_MS = 20_000;

/** How a line ended. */
interface Ended {
  readonly error: LanyardError;
  /** How long it was up; undefined when it never was. */
  readonly upMs: number | undefined;
}

export class MqttLink implements Link {
  readonly #parts: MqttLinkParts;
  readonly #schedule: ReconnectSchedule;
  #listener: (event: LinkEvent) => void = () => {};
  #session: MqttSession | undefined;
  #run: { readonly stopping: AbortController; readonly done: Promise<void> } | undefined;
  /** Index of the broker to try first. In memory only: flash wears out. */
  #preferred = 0;

  constructor(parts: MqttLinkParts) {
    this.#parts = parts;
    this.#schedule = new ReconnectSchedule({ random: parts.random });
  }

  onEvent(listener: (event: LinkEvent) => void): void {
    this.#listener = listener;
  }

  /** Resolves at once: an appliance must come up without its broker. */
  async start(): Promise<void> {
    if (this.#run) return;
    const addresses = this.#parts.brokerUrls.map(parseBrokerUrl);
    if (addresses.length === 0) throw new LanyardError('option-invalid', { message: 'no broker is given' });
    const stopping = new AbortController();
    this.#run = { stopping, done: this.#keepConnected(addresses, stopping.signal) };
  }

  async stop(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    run.stopping.abort(new LanyardError('stopped'));
    await this.#session?.close();
    await run.done;
  }

  send(message: UpMessage): boolean {
    return this.#session?.send(message) ?? false;
  }

  setReconnectSpread(spreadMs: number): void {
    this.#schedule.setSpread(spreadMs);
  }

  async #keepConnected(addresses: readonly BrokerAddress[], signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      const { error, upMs } = await this.#connectInTurn(addresses, signal);
      if (signal.aborted) return;
      const waitMs = upMs === undefined ? this.#schedule.afterFailure(error) : this.#schedule.afterLoss(error, upMs);
      log.info({ code: error.code, error: describeError(error), waitMs }, 'no line to the broker');
      this.#tell({ kind: 'down', error, retryAtMs: clock.nowMs() + waitMs });
      await sleep(clock, waitMs, signal).catch(() => {});
    }
  }

  /** Tries every broker once and stays with the first that answers, until that line ends. */
  async #connectInTurn(addresses: readonly BrokerAddress[], signal: AbortSignal): Promise<Ended> {
    const failures: LanyardError[] = [];
    const first = this.#preferred;
    for (let turn = 0; turn < addresses.length && !signal.aborted; turn += 1) {
      const index = (first + turn) % addresses.length;
      const address = addresses[index];
      if (address === undefined) break;
      const ended = await this.#connectTo(address, index, signal);
      if (ended.upMs !== undefined) return ended;
      failures.push(ended.error);
      if (ended.error.code === 'broker-refused' || isOverload(ended.error)) {
        // One of ours has answered. To ask the next at once would only double what it complains about.
        this.#preferred = (index + 1) % addresses.length;
        break;
      }
    }
    return { error: summaryOf(failures), upMs: undefined };
  }

  async #connectTo(address: BrokerAddress, index: number, signal: AbortSignal): Promise<Ended> {
    const { clock, identity, connect, clockFloorMs = 0 } = this.#parts;
    using limit = deadline(clock, CONNECT_MS, signal);
    try {
      const call = { address, identity, connect, clockFloorMs, nowMs: clock.nowMs(), signal: limit.signal };
      const stream = await dialBroker(call);
      return await this.#talk(stream, limit.signal, () => {
        limit[Symbol.dispose]();
        this.#preferred = index;
      });
    } catch (error) {
      const { code, message, details } = asBrokerError(error);
      const named = new LanyardError(code, { message: `${address.url}: ${message}`, cause: error, details });
      return { error: named, upMs: undefined };
    }
  }

  /** Resolves when the line has ended. */
  #talk(stream: Duplex, signal: AbortSignal, onUp: () => void): Promise<Ended> {
    const { clock, identity, log, keepaliveSeconds = KEEPALIVE_SECONDS } = this.#parts;
    return new Promise((resolve, reject) => {
      if (signal.aborted || stream.destroyed) {
        stream.destroy();
        return reject(asBrokerError(signal.reason ?? new Error('the broker closed the connection')));
      }
      let upAtMs: number | undefined;
      const session = new MqttSession({
        stream,
        deviceId: identity.deviceId,
        keepaliveSeconds,
        clock,
        log,
        onReady: () => {
          signal.removeEventListener('abort', onAbort);
          upAtMs = clock.monotonicMs();
          onUp();
          this.#session = session;
          this.#tell({ kind: 'up' });
        },
        onMessage: (message) => this.#tell({ kind: 'message', message }),
        onClosed: (error) => {
          signal.removeEventListener('abort', onAbort);
          if (this.#session === session) this.#session = undefined;
          if (upAtMs === undefined) reject(error);
          else resolve({ error, upMs: clock.monotonicMs() - upAtMs });
        },
      });
      const onAbort = (): void => session.abort(asBrokerError(signal.reason));
      signal.addEventListener('abort', onAbort, { once: true });
      session.open();
    });
  }

  /** A listener that throws is a defect of its owner, which must not cost the line. */
  #tell(event: LinkEvent): void {
    if (!this.#run) return;
    try {
      this.#listener(event);
    } catch (error) {
      this.#parts.log.error({ event: event.kind, error: describeError(error) }, 'the listener of the link threw');
    }
  }
}

/** The most telling failure of a round through the brokers, with what all of them said. */
function summaryOf(failures: readonly LanyardError[]): LanyardError {
  const [last] = failures.slice(-1);
  if (last === undefined) return new LanyardError('stopped');
  const telling = failures.find(({ code }) => code !== 'broker-unreachable') ?? last;
  if (failures.length === 1) return telling;
  const message = failures.map((failure) => failure.message).join('; ');
  return new LanyardError(telling.code, { message, cause: telling.cause, details: telling.details });
}
