/** What runs inside the DNS thread: it holds the zones, answers from them, and takes changes from the broker. */
import { LanyardError, describeError, type Clock, type LogFields, type Logger } from '@lanyard/sdk/kernel';
import { DnsServer } from './server.ts';
import { ServedZone, type ZoneChange, type ZoneSnapshot } from './served-zone.ts';
import type { ServedSerial, ThreadFailure, ThreadLogLevel, ThreadReply, ThreadRequest } from './thread-messages.ts';

export interface ThreadServiceOptions {
  readonly clock: Clock;
  /** Takes a reply to the broker. */
  readonly post: (reply: ThreadReply) => void;
}

export class ThreadService {
  readonly #post: ThreadServiceOptions['post'];
  readonly #log: Logger;
  readonly #server: DnsServer;
  /** Undefined until the first snapshot. */
  #zones: readonly ServedZone[] | undefined;

  constructor({ clock, post }: ThreadServiceOptions) {
    this.#post = post;
    this.#log = postingLogger(post, {});
    this.#server = new DnsServer({ zones: () => this.#zones, clock, log: this.#log });
  }

  /** Never rejects: what fails is told in a reply. Snapshots and changes take effect in the order of the calls. */
  async handle(request: ThreadRequest): Promise<void> {
    try {
      const done = this.#perform(request);
      this.#post(done instanceof Promise ? await done : done);
    } catch (error) {
      this.#post({ kind: 'failed', id: request.id, code: failureOf(error), message: describeError(error) });
    }
  }

  #perform(request: ThreadRequest): ThreadReply | Promise<ThreadReply> {
    const { id } = request;
    switch (request.kind) {
      case 'listen':
        return this.#server.start(request.listeners).then((addresses) => ({ kind: 'listening', id, addresses }));
      case 'snapshot':
        return { kind: 'serving', id, zones: this.#replaceAll(request.zones) };
      case 'change':
        return { kind: 'serving', id, zones: [this.#change(request.change)] };
      case 'stop':
        return this.#server.stop().then(() => ({ kind: 'stopped', id }));
    }
  }

  /** Builds all before any is shown; queries wait meanwhile, some five seconds for a million records. */
  #replaceAll(snapshots: readonly ZoneSnapshot[]): readonly ServedSerial[] {
    this.#zones = snapshots.map((snapshot) => this.#build(snapshot));
    return this.#zones.map(({ apex, serial }) => ({ apex, serial }));
  }

  #build(snapshot: ZoneSnapshot): ServedZone {
    let misfits = 0;
    const zone = new ServedZone(snapshot, () => {
      misfits += 1;
    });
    if (misfits > 0) this.#log.warn({ apex: snapshot.apex, misfits }, 'DNS: stored records that do not fit their zone');
    return zone;
  }

  #change(change: ZoneChange): ServedSerial {
    const zone = this.#zones?.find((candidate) => candidate.apex === change.apex);
    if (zone === undefined) throw new Error(`zone ${change.apex} is not served`);
    zone.apply(change);
    return { apex: zone.apex, serial: zone.serial };
  }
}

function failureOf(error: unknown): ThreadFailure {
  if (LanyardError.is(error, 'listener-failed')) return 'listener-failed';
  if (LanyardError.is(error, 'dns-record-refused')) return 'dns-record-refused';
  return 'dns-serving-failed';
}

/** The broker's logger is beyond the thread's reach, so lines are posted to it. */
function postingLogger(post: ThreadServiceOptions['post'], always: LogFields): Logger {
  const at = (level: ThreadLogLevel) => (fields: LogFields, message: string) =>
    post({ kind: 'log', level, fields: { ...always, ...fields }, message });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => postingLogger(post, { ...always, ...fields }),
  };
}
