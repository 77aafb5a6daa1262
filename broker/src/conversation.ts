/** Answers what appliances say, from what fleet and certificate desk know. No state but who is here and what it has. */
import { LanyardError, describeError, randomId } from '@lanyard/sdk/kernel';
import type { ErrorCode, Logger, Random, Clock } from '@lanyard/sdk/kernel';
import { LIMITS, PROBLEMS } from '@lanyard/sdk/protocol';
import type { Csr, DownMessage, Hello, IssuedCertificate, ProblemCode, UpMessage } from '@lanyard/sdk/protocol';
import type { CertificateDesk } from './certificates/desk.ts';
import type { KeyRevocation } from './certificates/key-revocation.ts';
import { isFulfilled } from './certificates/order.ts';
import type { Order } from './certificates/order.ts';
import type { Reminders } from './certificates/reminders.ts';
import type { CertificateWithChain, StoredCertificate } from './certificates/stored-certificate.ts';
import { nameOf } from './fleet/appliance.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Admission, Caller } from './mqtt/conversation.ts';

export interface ConversationSettings {
  readonly mode: 'resident' | 'checkin';
  /** When a resident says hello at the latest, and how long a visitor stays away. */
  readonly checkInSeconds: number;
  readonly reconnectSpreadSeconds: number;
}

export interface ConversationParts {
  readonly fleet: Fleet;
  readonly desk: CertificateDesk;
  readonly reminders: Pick<Reminders, 'set' | 'forget'>;
  readonly keyRevocation: Pick<KeyRevocation, 'answered'>;
  /** Sends to a connected appliance; false when it is not connected. */
  readonly send: (deviceId: string, message: DownMessage) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: ConversationSettings;
}

/** How long an issuance usually takes when nothing is in the way. */
const USUAL_SECONDS = 10;

/** An appliance that waits for the budget looks in now and then: it may be moved up, or its CA be changed. */
const LONGEST_ETA_SECONDS = 6 * 3600;

/** How soon to come back while another request of the same appliance is at the CA. */
const BUSY_SECONDS = 30;

/** After a reminder that failed: database and DNS answer in seconds, or need a person. */
const REMIND_AGAIN_MS = 60_000;

export class Conversation {
  readonly #parts: ConversationParts;
  /** The last hello of every connected appliance. */
  readonly #present = new Map<string, Hello>();

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  async admit(caller: Caller): Promise<Admission> {
    try {
      const appliance = await this.#parts.fleet.find(caller.deviceId);
      if (appliance.status === 'disabled') return { kind: 'refused', reason: 'disabled' };
      const isOwner = appliance.identityKeyHash === caller.identityKeyHash;
      return isOwner ? { kind: 'welcome' } : { kind: 'refused', reason: 'other-key' };
    } catch (error) {
      if (LanyardError.is(error, 'appliance-unknown')) return { kind: 'refused', reason: 'unknown' };
      this.#parts.log.error(
        { deviceId: caller.deviceId, err: describeError(error) },
        'an appliance could not be looked up',
      );
      return { kind: 'overloaded' };
    }
  }

  async receive(deviceId: string, message: UpMessage): Promise<readonly DownMessage[]> {
    switch (message.kind) {
      case 'hello':
        this.#present.set(deviceId, message.hello);
        return await this.#answerHello(deviceId, message.hello, message.hello.id);
      case 'csr':
        return await this.#answerCsr(deviceId, message.csr);
      case 'installed':
        this.#serves(deviceId, await this.#parts.desk.installed(deviceId, message.installed.fingerprint));
        return [];
      case 'bye':
        if (this.#present.get(deviceId)?.bootId === message.bye.bootId) this.gone(deviceId);
        return [];
      case 'revocation':
        this.#parts.keyRevocation.answered(deviceId, message.revocation);
        return [];
    }
  }

  gone(deviceId: string): void {
    this.#present.delete(deviceId);
    this.#parts.reminders.forget(deviceId);
  }

  /** Says again what the appliance should have, if it is here. */
  async prompt(deviceId: string): Promise<void> {
    const hello = this.#present.get(deviceId);
    if (hello === undefined) return;
    try {
      for (const message of await this.#answerHello(deviceId, hello, undefined)) this.#parts.send(deviceId, message);
    } catch (error) {
      const { reminders, clock, log } = this.#parts;
      log.error({ deviceId, err: describeError(error) }, 'an appliance could not be reminded; tried again in a minute');
      // Or its certificate would lie here until its next hello, hours from now.
      if (this.#present.has(deviceId)) reminders.set(deviceId, clock.nowMs() + REMIND_AGAIN_MS);
    }
  }

  /** Hands over a fresh certificate; an appliance that is away gets it with its next hello. */
  issued(certificate: CertificateWithChain): void {
    const { deviceId, keyHash } = certificate;
    if (!this.#present.has(deviceId)) return;
    this.#expect(deviceId, keyHash);
    this.#parts.reminders.set(deviceId, this.#parts.desk.resendAtMs());
    this.#parts.send(deviceId, issuedMessage(certificate));
  }

  /** Looks at everybody who is here again, spread over `withinMs`. @returns how many there are. */
  promptAll(withinMs: number): number {
    const { reminders, clock, random } = this.#parts;
    for (const deviceId of this.#present.keys()) reminders.set(deviceId, clock.nowMs() + random.uniform() * withinMs);
    return this.#present.size;
  }

  /** The CA wants the certificate renewed at another time; who is away hears of it with its next hello. */
  renewalMoved({ deviceId, fingerprint }: StoredCertificate, renewAtMs: number): void {
    const serves = this.#present.get(deviceId)?.certificate?.fingerprint === fingerprint;
    if (serves) this.#parts.reminders.set(deviceId, renewAtMs);
  }

  /** Tells the appliance why its certificate is late. */
  failed(order: Order, againAtMs: number): void {
    const { deviceId, lastFailure, state } = order;
    if (lastFailure === undefined || isFulfilled(order)) return;
    const dueMs =
      state.kind === 'clearing' && state.aftermath.kind === 'again' ? state.aftermath.notBeforeMs : againAtMs;
    const retryAfterMs = Math.max(0, dueMs - this.#parts.clock.nowMs());
    this.#parts.send(deviceId, this.problem(lastFailure.code, lastFailure.message, { ref: order.id, retryAfterMs }));
  }

  problem(
    code: ErrorCode,
    message: string,
    about: { readonly ref: string; readonly id?: string; readonly retryAfterMs?: number | undefined },
  ): DownMessage {
    const kind = PROBLEM_OF[code] ?? 'internal';
    const { retryable, meaning } = PROBLEMS[kind];
    // What failed inside is for our log, under the same reference.
    const text = kind === 'internal' ? meaning : message.slice(0, LIMITS.messageCharacters);
    const retry = about.retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(about.retryAfterMs / 1000) };
    const id = about.id === undefined ? {} : { id: about.id };
    return {
      kind: 'problem',
      problem: { ...id, code: kind, message: text, retryable, ...retry, ref: about.ref },
    };
  }

  async #answerHello(deviceId: string, hello: Hello, id: string | undefined): Promise<readonly DownMessage[]> {
    const { fleet, desk, reminders, clock, settings } = this.#parts;
    const greeting = await fleet.recognise(deviceId, hello);
    const { appliance, published, withheld } = greeting;
    if (appliance.status === 'disabled') return [this.#disabled(id)];
    // A reminder is not a hello: it neither counts as having seen the appliance nor waits for the DNS.
    if (id !== undefined) await fleet.greet(greeting, hello);
    const names = [nameOf(appliance)];
    const { certificate: held, pendingKeyHash } = hello;
    const advice = await desk.advise({ deviceId, names, held, pendingKeyHash });
    if (this.#present.has(deviceId)) reminders.set(deviceId, advice.lookAgainAtMs);
    const state: DownMessage = {
      kind: 'state',
      state: {
        ...(id !== undefined && { id }),
        serverTimeMs: clock.nowMs(),
        names,
        published,
        withheld,
        mode: settings.mode,
        nextCheckInSeconds: settings.checkInSeconds,
        reconnectSpreadSeconds: settings.reconnectSpreadSeconds,
        todo: advice.todo,
      },
    };
    return advice.certificate ? [state, issuedMessage(advice.certificate)] : [state];
  }

  async #answerCsr(deviceId: string, csr: Csr): Promise<readonly DownMessage[]> {
    const { fleet, desk, log, random } = this.#parts;
    const { id } = csr;
    try {
      const appliance = await fleet.find(deviceId);
      if (appliance.status === 'disabled') return [this.#disabled(id)];
      const names = [nameOf(appliance)];
      const acceptance = await desk.request(deviceId, names, csr.der);
      switch (acceptance.kind) {
        case 'issued':
          return [issuedMessage(acceptance.certificate, id)];
        case 'busy':
          return [
            this.problem('order-busy', busyText(acceptance.order), {
              id,
              ref: acceptance.order.id,
              retryAfterMs: BUSY_SECONDS * 1000,
            }),
          ];
        case 'accepted':
        case 'running': {
          const { keyHash } = acceptance.order;
          this.#expect(deviceId, keyHash);
          return [
            {
              kind: 'certificate',
              certificate: { kind: 'accepted', id, keyHash, etaSeconds: this.#eta(acceptance.order) },
            },
          ];
        }
      }
    } catch (error) {
      if (!LanyardError.is(error) || !Object.hasOwn(REFUSALS, error.code)) throw error;
      const ref = randomId(random);
      log.warn({ deviceId, ref, code: error.code, reason: error.message }, 'signing request refused');
      return [this.problem(error.code, error.message, { id, ref })];
    }
  }

  /** Disabled while it is connected: the next connection is not let in at all. */
  #disabled(id: string | undefined): DownMessage {
    const { retryable, meaning } = PROBLEMS['appliance-disabled'];
    const about = { ...(id !== undefined && { id }), ref: randomId(this.#parts.random) };
    return { kind: 'problem', problem: { ...about, code: 'appliance-disabled', message: meaning, retryable } };
  }

  /** From its request on, an appliance waits with this key: what it said in its hello is outdated. */
  #expect(deviceId: string, pendingKeyHash: string): void {
    const hello = this.#present.get(deviceId);
    if (hello) this.#present.set(deviceId, { ...hello, pendingKeyHash });
  }

  #serves(deviceId: string, newest: StoredCertificate | undefined): void {
    const hello = this.#present.get(deviceId);
    if (hello === undefined || newest === undefined) return;
    const { pendingKeyHash: _done, ...rest } = hello;
    const { fingerprint, keyHash, notAfterMs, renewAtMs } = newest;
    this.#present.set(deviceId, { ...rest, certificate: { fingerprint, keyHash, notAfterMs } });
    this.#parts.reminders.set(deviceId, renewAtMs);
  }

  #eta(order: Order): number {
    const { desk, clock } = this.#parts;
    const waitMs = (desk.waitsUntilMs(order) ?? 0) - clock.nowMs();
    return Math.min(Math.max(0, Math.ceil(waitMs / 1000)) + USUAL_SECONDS, LONGEST_ETA_SECONDS);
  }
}

const REFUSALS = {
  'csr-invalid': 'csr-invalid',
  'csr-weak-key': 'weak-key',
  'csr-names': 'name-mismatch',
  'csr-key-reused': 'key-reused',
  // The remedy is the same, and SDKs before 0.2 know no other code for it.
  'csr-key-refused': 'key-reused',
} as const satisfies Partial<Record<ErrorCode, ProblemCode>>;

/** How the broker's own errors look on the wire; what is not here is nobody's business but ours: `internal`. */
const PROBLEM_OF: Partial<Record<ErrorCode, ProblemCode>> = {
  ...REFUSALS,
  'order-busy': 'busy',
  'authority-unreachable': 'ca-unavailable',
  'authority-rate-limited': 'ca-unavailable',
  'authority-protocol': 'ca-unavailable',
  'authority-order-lost': 'ca-unavailable',
  'authority-refused': 'ca-refused',
  'authority-rejected-name': 'ca-refused',
  'authority-validation-failed': 'validation-failed',
};

function issuedMessage(certificate: CertificateWithChain, id?: string): DownMessage {
  const { chain, fingerprint, keyHash, names, notAfterMs, renewAtMs } = certificate;
  const issued: IssuedCertificate = { kind: 'issued', chain, fingerprint, keyHash, names, notAfterMs, renewAtMs };
  return { kind: 'certificate', certificate: id === undefined ? issued : { ...issued, id } };
}

function busyText(order: Order): string {
  return `a request for another key is at the CA (${order.state.kind}); repeat this one when it is done`;
}
