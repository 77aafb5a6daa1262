/** From what an appliance published to what it is answered: one message of an appliance at a time, all in bounds. */
import { describeError, LanyardError, randomId } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import { LIMITS, PROBLEMS, decodeBody, parseDown, parseUp } from '@lanyard/sdk/protocol';
import type { DownMessage, ProblemCode, UpKind, UpMessage } from '@lanyard/sdk/protocol';
import type { Conversation } from './conversation.ts';
import { Repeats } from './repeats.ts';

export interface InboxParts {
  readonly conversation: Pick<Conversation, 'receive'>;
  readonly reply: (deviceId: string, message: DownMessage) => void;
  readonly limits: InboxLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface InboxLimits {
  /** Messages of one appliance that wait while an earlier one is answered. */
  readonly maxQueued: number;
  /** Messages of all appliances that wait or are being answered. */
  readonly maxQueuedInAll: number;
  readonly answerTimeoutMs: number;
}

/** A minute to a minute and a half: the database or the disk needs a person or a restart, not a hundred retries. */
const RETRY_SECONDS = 60;
const RETRY_SPREAD_SECONDS = 30;

/** Of one appliance that has a message being answered. */
interface Queue {
  readonly messages: UpMessage[];
  whenDone?: () => void;
}

export class Inbox {
  readonly #parts: InboxParts;
  readonly #repeats: Repeats;
  readonly #queues = new Map<string, Queue>();
  #pending = 0;
  #whenIdle: (() => void) | undefined;

  constructor(parts: InboxParts) {
    this.#parts = parts;
    this.#repeats = new Repeats(parts.clock);
  }

  /** Takes a payload that `deviceId` published on its own topic of `kind`. Never throws. */
  accept(deviceId: string, kind: UpKind, payload: Uint8Array): void {
    const body = decodeBody(payload);
    const parsed = body.ok ? parseUp(kind, body.value) : body;
    if (!parsed.ok) return this.#refuse(deviceId, body.id, parsed.code, parsed.message);
    const queue = this.#queues.get(deviceId);
    const isFull = queue !== undefined && queue.messages.length >= this.#parts.limits.maxQueued;
    if (isFull || this.#pending >= this.#parts.limits.maxQueuedInAll) {
      return this.#refuse(deviceId, requestId(parsed.value), 'rate-limited', PROBLEMS['rate-limited'].meaning);
    }
    this.#pending += 1;
    if (queue) return void queue.messages.push(parsed.value);
    const fresh: Queue = { messages: [parsed.value] };
    this.#queues.set(deviceId, fresh);
    void this.#answerInTurn(deviceId, fresh);
  }

  /** Calls back when everything that this appliance said so far is answered. */
  afterwards(deviceId: string, callback: () => void): void {
    const queue = this.#queues.get(deviceId);
    if (queue) queue.whenDone = callback;
    else callback();
  }

  /** Resolves when nothing is being answered. */
  async idle(): Promise<void> {
    if (this.#queues.size > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  async #answerInTurn(deviceId: string, queue: Queue): Promise<void> {
    for (let message = queue.messages.shift(); message; message = queue.messages.shift()) {
      await this.#answer(deviceId, message);
      this.#pending -= 1;
    }
    this.#queues.delete(deviceId);
    queue.whenDone?.();
    if (this.#queues.size === 0) this.#whenIdle?.();
  }

  async #answer(deviceId: string, message: UpMessage): Promise<void> {
    const { conversation, reply, clock, limits, log } = this.#parts;
    try {
      const answers = await inTime(clock, limits.answerTimeoutMs, conversation.receive(deviceId, message));
      for (const answer of answers) reply(deviceId, answer);
    } catch (error) {
      const ref = randomId(this.#parts.random);
      const fields = { deviceId, kind: message.kind, ref, err: describeError(error) };
      log.error(fields, 'a message could not be answered');
      const retryAfterMs = LanyardError.is(error) ? error.retryAfterMs : undefined;
      // What failed inside is for our log; the appliance gets the reference to it.
      reply(deviceId, this.#problem({ id: requestId(message), code: 'internal', ref, retryAfterMs }));
    }
  }

  #refuse(deviceId: string, id: string | undefined, code: ProblemCode, message: string): void {
    const ref = randomId(this.#parts.random);
    const { isDue, unlogged } = this.#repeats.note(`${deviceId} ${code}`);
    if (isDue) this.#parts.log.warn({ deviceId, code, reason: message, ref, unlogged }, 'a message was refused');
    this.#parts.reply(deviceId, this.#problem({ id, code, ref, message }));
  }

  #problem(about: {
    readonly id: string | undefined;
    readonly code: ProblemCode;
    readonly ref: string;
    readonly message?: string;
    readonly retryAfterMs?: number | undefined;
  }): DownMessage {
    const { code, ref, retryAfterMs } = about;
    const { retryable, meaning } = PROBLEMS[code];
    const spread = Math.floor(this.#parts.random.uniform() * RETRY_SPREAD_SECONDS);
    const waitSeconds = retryAfterMs === undefined ? RETRY_SECONDS + spread : Math.ceil(retryAfterMs / 1000);
    const retryAfterSeconds = Math.min(LIMITS.waitSeconds, Math.max(0, waitSeconds));
    const message = (about.message ?? meaning).slice(0, LIMITS.messageCharacters);
    const problem = { code, message, retryable, ref, ...(retryable && { retryAfterSeconds }) };
    // An id that is not a proper one would make the whole answer unreadable.
    const withId = about.id === undefined ? problem : { ...problem, id: about.id };
    return { kind: 'problem', problem: parseDown('problem', withId).ok ? withId : problem };
  }
}

function requestId(message: UpMessage): string {
  switch (message.kind) {
    case 'hello':
      return message.hello.id;
    case 'csr':
      return message.csr.id;
    case 'installed':
      return message.installed.id;
    case 'bye':
      return message.bye.id;
    case 'revocation':
      return message.revocation.id;
  }
}

/** What `promise` brings, unless it takes too long. */
function inTime<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = clock.setTimer(limitMs, () =>
      reject(new LanyardError('internal', { message: `no answer within ${limitMs} ms` })),
    );
    promise.then(resolve, reject).finally(() => late.cancel());
  });
}
