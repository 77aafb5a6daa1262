/** Runs the lifecycle: feeds it what happens, and does what it commands on vault, link and clock. */
import type { AddressSource } from '../address/address-source.ts';
import { describeError, LanyardError } from '../kernel/errors.ts';
import { endsWithin } from '../kernel/clock.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { randomId } from '../kernel/random.ts';
import type { Random } from '../kernel/random.ts';
import type { Runnable } from '../kernel/runnable.ts';
import type { Link, LinkEvent } from '../link/link.ts';
import type { Bye } from '../protocol/bye.ts';
import type { IssuedCertificate } from '../protocol/certificate.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import type { RevocationWish } from '../protocol/revocation.ts';
import type { State as BrokerState } from '../protocol/state.ts';
import type { CertificateReader } from './certificate-reader.ts';
import type { CertificateStore } from './certificate-store.ts';
import type { Credential } from './credential.ts';
import { makeHello } from './introduction.ts';
import type { Introduction } from './introduction.ts';
import type { KeyMaker } from './key-maker.ts';
import { csrId, initialState, next, wakesAtMs } from './lifecycle.ts';
import type { Command, Event, Held, PendingKey, State } from './lifecycle.ts';
import { helloAgainAfterMs } from './renewal-time.ts';
import { signRevocation } from './revocation-signing.ts';
import type { ServerTime } from './server-time.ts';
import { Wakeup } from './wakeup.ts';

export interface KeeperParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly link: Link;
  readonly addresses: AddressSource;
  readonly store: CertificateStore;
  readonly keys: KeyMaker;
  readonly reader: CertificateReader;
  readonly time: ServerTime;
  readonly introduction: Introduction;
}

export type KeeperEvent =
  /** A certificate is safe in the vault and verified: serve it. */
  | { readonly kind: 'certificate'; readonly credential: Credential }
  | { readonly kind: 'problem'; readonly error: LanyardError; readonly retryAtMs?: number }
  /** The machine moved, or the broker said something new. */
  | { readonly kind: 'moved'; readonly by: Event['kind'] };

/** A vault on healthy flash needs milliseconds; nothing can be done about a longer wait but to tell it. */
const WORK_REPORT_MS = 60_000;
/** How long `stop` waits for a write to the vault, and for each of its parts: a service manager kills after 10 s. */
const STOP_MS = 3_000;

export class Keeper implements Runnable {
  readonly #parts: KeeperParts;
  readonly #bootId: string;
  readonly #wakeup: Wakeup;
  readonly #events: Event[] = [];
  #state: State = initialState({ held: undefined, pending: undefined }, 0);
  #brokerState: BrokerState | undefined;
  #listener: (event: KeeperEvent) => void = () => {};
  #isRunning = false;
  #isDraining = false;
  #work: Promise<void> = Promise.resolve();
  #linkWork: Promise<void> = Promise.resolve();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#bootId = randomId(parts.random);
    this.#wakeup = new Wakeup({ clock: parts.clock, wake: () => this.#dispatch({ kind: 'timer' }) });
  }

  /** One listener, before `start`. */
  onEvent(listener: (event: KeeperEvent) => void): void {
    this.#listener = listener;
  }

  get state(): State {
    return this.#state;
  }

  /** What the broker said last. */
  get brokerState(): BrokerState | undefined {
    return this.#brokerState;
  }

  /** Resolves without the network; the connection is made in the background. The store must be loaded. */
  async start(): Promise<void> {
    const { store, link, addresses, random, time } = this.#parts;
    const { current, pending, faults } = store;
    if (current) time.raiseFloor(current.notBeforeMs);
    this.#state = initialState(
      { held: current && heldOf(current), pending: pending && keyOf(pending) },
      random.uniform(),
    );
    this.#isRunning = true;
    for (const error of faults) this.#report(error);
    link.onEvent((event) => this.#onLink(event));
    addresses.onChange(() => this.#dispatch({ kind: 'addresses-changed' }));
    // A name without addresses still has its certificate.
    await addresses.start().catch((error: unknown) => this.#report(asLanyardError(error)));
    this.#connect();
  }

  async stop(reason: Bye['reason'] = 'shutdown'): Promise<void> {
    if (!this.#isRunning) return;
    this.#sayBye(reason);
    this.#isRunning = false;
    this.#wakeup.cancel();
    const { clock, link, addresses } = this.#parts;
    await endsWithin(
      clock,
      STOP_MS,
      this.#work.catch(() => {}),
    );
    await endsWithin(clock, STOP_MS, Promise.allSettled([this.#linkWork.then(() => link.stop()), addresses.stop()]));
  }

  #onLink(event: LinkEvent): void {
    if (!this.#isRunning) return;
    switch (event.kind) {
      case 'up':
        return this.#dispatch({ kind: 'link-up' });
      case 'down': {
        this.#dispatch({ kind: 'link-down' });
        const waitMs = event.retryAtMs - this.#parts.clock.nowMs();
        return this.#report(event.error.retriedAfter(Math.max(0, waitMs)));
      }
      case 'message':
        return this.#onMessage(event.message);
    }
  }

  #onMessage(message: DownMessage): void {
    switch (message.kind) {
      case 'state':
        return this.#onState(message.state);
      case 'certificate': {
        const { certificate } = message;
        if (certificate.kind === 'issued') return this.#dispatch({ kind: 'issued', certificate });
        return this.#dispatch({
          kind: 'accepted',
          keyHash: certificate.keyHash,
          etaMs: certificate.etaSeconds * 1000,
        });
      }
      case 'problem':
        return this.#dispatch({ kind: 'problem', problem: message.problem });
      case 'revocation':
        return this.#signRevocation(message.wish);
    }
  }

  /** Beside the lifecycle, which goes on as before: the broker asks for another key when the CA has revoked. */
  #signRevocation(wish: RevocationWish): void {
    const { store, link, log } = this.#parts;
    const { fingerprint } = wish;
    try {
      link.send({ kind: 'revocation', revocation: signRevocation(store.current, wish) });
      log.warn({ fingerprint }, 'signed the revocation of the certificate by its own key');
    } catch (error) {
      log.warn({ fingerprint, error: describeError(error) }, 'a revocation was not signed');
    }
  }

  #onState(state: BrokerState): void {
    const { time, link, store } = this.#parts;
    time.learn(state.serverTimeMs);
    link.setReconnectSpread(state.reconnectSpreadSeconds * 1000);
    this.#brokerState = state;
    this.#dispatch({
      kind: 'state-received',
      names: state.names,
      mode: state.mode,
      todo: state.todo,
      isAnswer: state.id !== undefined,
      againAfterMs: helloAgainAfterMs(state.nextCheckInSeconds * 1000, store.current, time.nowMs()),
    });
  }

  /** Events are taken one after the other, also when a command makes the next one at once. */
  #dispatch(event: Event): void {
    if (!this.#isRunning) return;
    this.#events.push(event);
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let head = this.#events.shift(); head; head = this.#events.shift()) this.#take(head);
    } finally {
      this.#isDraining = false;
    }
  }

  #take(event: Event): void {
    // A listener may have stopped it in the middle of the queue.
    if (!this.#isRunning) return;
    const { clock, log } = this.#parts;
    const before = this.#state.phase.kind;
    const { state, commands } = next(this.#state, event, clock.monotonicMs());
    this.#state = state;
    log.debug({ event: event.kind, before, after: state.phase.kind, line: state.line.kind }, 'lifecycle');
    for (const command of commands) this.#attempt(() => this.#obey(command));
    if (!this.#isRunning) return;
    this.#wakeup.setAt(wakesAtMs(state));
    this.#listener({ kind: 'moved', by: event.kind });
  }

  /** A part that throws where it must not is reported, and the lifecycle goes on: hello heals what was left out. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#report(asLanyardError(error));
    }
  }

  #obey(command: Command): void {
    if (!this.#isRunning) return;
    const { link, random } = this.#parts;
    switch (command.kind) {
      case 'say-hello':
        return this.#sayHello();
      case 'make-key':
        return this.#begin(this.#makeKey(command.names));
      case 'send-csr':
        return void this.#sendCsr(command.pending);
      case 'install':
        return this.#begin(this.#install(command.certificate));
      case 'send-installed': {
        const installed = { id: `installed-${randomId(random)}`, fingerprint: command.fingerprint };
        return void link.send({ kind: 'installed', installed });
      }
      case 'leave':
        this.#sayBye('checked-in');
        return this.#moveLink(() => link.stop());
      case 'come-back':
        return this.#connect();
      case 'report':
        return this.#report(command.error);
    }
  }

  #sayHello(): void {
    const { link, random, clock, addresses, introduction } = this.#parts;
    const hello = makeHello({
      id: `hello-${randomId(random)}`,
      bootId: this.#bootId,
      clockMs: clock.nowMs(),
      addresses: addresses.current(),
      held: this.#state.held,
      pendingKeyHash: this.#state.pending?.keyHash,
      introduction,
    });
    link.send({ kind: 'hello', hello });
  }

  async #makeKey(names: readonly string[]): Promise<Event> {
    const { keys, store } = this.#parts;
    const pending = { ...(await keys.makeKeyPair()), names };
    await store.keepPending(pending);
    return { kind: 'key-made', pending: keyOf(pending) };
  }

  /** Only for the key that the store has as pending: it is in the vault. A request that fails here is repeated. */
  async #sendCsr({ keyHash }: PendingKey): Promise<void> {
    const { keys, store, link, log } = this.#parts;
    const pair = store.pending;
    if (pair?.keyHash !== keyHash) return;
    try {
      const der = await keys.makeSigningRequest(pair);
      const isWanted = this.#isRunning && this.#state.phase.kind === 'requesting' && store.pending === pair;
      if (isWanted) link.send({ kind: 'csr', csr: { id: csrId(keyHash), der } });
    } catch (error) {
      log.error({ error: describeError(error) }, 'the signing request could not be made');
    }
  }

  async #install(certificate: IssuedCertificate): Promise<Event> {
    const { store, reader, time } = this.#parts;
    const pair = [store.pending, store.current].find((held) => held?.keyHash === certificate.keyHash);
    if (pair === undefined) throw new LanyardError('certificate-refused', { message: 'its key is gone' });
    const candidate = { ...certificate, keyPem: pair.keyPem, chainPem: certificate.chain, names: pair.names };
    const credential = reader.verify(candidate, time.read());
    await store.install(credential);
    time.raiseFloor(credential.notBeforeMs);
    this.#listener({ kind: 'certificate', credential });
    return { kind: 'installed', held: heldOf(credential) };
  }

  /** Work whose outcome is the machine's next event. The machine never begins a second one before it. */
  #begin(work: Promise<Event>): void {
    const { clock } = this.#parts;
    const late = clock.setTimer(WORK_REPORT_MS, () => {
      const message = `the vault has not finished within ${WORK_REPORT_MS / 1000} seconds`;
      this.#report(new LanyardError('vault-unwritable', { message }));
    });
    const outcome = async (): Promise<void> => {
      const event = await work.catch(asFailure);
      late.cancel();
      this.#dispatch(event);
    };
    this.#work = outcome();
  }

  #connect(): void {
    this.#moveLink(() => this.#parts.link.start());
  }

  /** Starts and stops of the link, one after the other. */
  #moveLink(move: () => Promise<void>): void {
    this.#linkWork = this.#linkWork
      .then(() => (this.#isRunning ? move() : undefined))
      .catch((error: unknown) => this.#report(asLanyardError(error)));
  }

  #sayBye(reason: Bye['reason']): void {
    const { link, random } = this.#parts;
    link.send({ kind: 'bye', bye: { id: `bye-${randomId(random)}`, bootId: this.#bootId, reason } });
  }

  #report(error: LanyardError): void {
    if (!this.#isRunning) return;
    const { log, time } = this.#parts;
    log.warn({ code: error.code, ...error.details }, describeError(error));
    const { retryAfterMs } = error;
    // By the broker's time as everything that is told: the appliance's own clock may be decades off.
    const retry = retryAfterMs === undefined ? {} : { retryAtMs: time.nowMs() + retryAfterMs };
    this.#listener({ kind: 'problem', error, ...retry });
  }
}

function heldOf({ fingerprint, keyHash, notAfterMs, names }: Credential): Held {
  return { fingerprint, keyHash, notAfterMs, names };
}

function keyOf({ keyHash, names }: PendingKey): PendingKey {
  return { keyHash, names };
}

function asFailure(reason: unknown): Event {
  const error = asLanyardError(reason);
  return { kind: error.code === 'certificate-refused' ? 'refused' : 'failed', error };
}

function asLanyardError(error: unknown): LanyardError {
  if (LanyardError.is(error)) return error;
  return new LanyardError('internal', { message: describeError(error), cause: error });
}
