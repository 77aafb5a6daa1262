/** What runs inside the DNS thread: it holds the zones, answers from them, and takes changes from the broker. */
import { LanyardError, describeError, type Clock, type LogFields, type Logger } from '@lanyard/sdk/kernel';
import { createDefence, type Defence } from './defence.ts';
import { DnsServer } from './server.ts';
import { ServedZone, type ZoneChange } from './served-zone.ts';
import type { ServedSerial, ThreadFailure, ThreadLogLevel, ThreadReply, ThreadRequest } from './thread-messages.ts';
import { TransferDesk } from './transfer-desk.ts';
import type { TransferPolicy } from './transfer-policy.ts';
import { ZoneHistory } from './zone-history.ts';
import { recordsOnPage } from './zone-source.ts';

export interface ThreadServiceOptions {
  readonly clock: Clock;
  /** Takes a reply to the broker. */
  readonly post: (reply: ThreadReply) => void;
}

export class ThreadService {
  readonly #post: ThreadServiceOptions['post'];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #server: DnsServer;
  /** Undefined until there is something to serve. */
  #zones: readonly ServedZone[] | undefined;
  /** Undefined where nobody may transfer a zone. */
  #desk: TransferDesk | undefined;
  #transfers: TransferPolicy | undefined;
  #defence: Defence | undefined;
  /** Of the zones that are served; none where nobody asks for them. */
  #histories: readonly ZoneHistory[] = [];
  /** Zones that are being filled. */
  #prepared: readonly ServedZone[] = [];
  /** Records among them that do not fit. */
  #misfits = 0;
  readonly #onMisfit = (): void => {
    this.#misfits += 1;
  };

  constructor({ clock, post }: ThreadServiceOptions) {
    this.#post = post;
    this.#clock = clock;
    this.#log = postingLogger(post, {});
    this.#server = new DnsServer({
      zones: () => this.#zones,
      desk: () => this.#desk,
      defence: () => this.#defence,
      clock,
      log: this.#log,
    });
  }

  /** Never rejects: what fails is told in a reply. Zones and changes take effect in the order of the calls. */
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
        this.#allowTransfers(request.transfers);
        this.#defence = request.defence && createDefence(request.defence, { clock: this.#clock, log: this.#log });
        return this.#server.start(request.listeners).then((addresses) => ({ kind: 'listening', id, addresses }));
      case 'prepare':
        this.#misfits = 0;
        this.#prepared = request.zones.map((outline) => new ServedZone({ ...outline, records: [] }, this.#onMisfit));
        return { kind: 'prepared', id };
      case 'fill':
        this.#fill(request.apex, request.page);
        return { kind: 'prepared', id };
      case 'serve':
        return { kind: 'serving', id, zones: this.#serve() };
      case 'change':
        return { kind: 'serving', id, zones: [this.#change(request.change)] };
      case 'stop':
        this.#defence?.suppressed.stop();
        return this.#server.stop().then(() => ({ kind: 'stopped', id }));
    }
  }

  #allowTransfers(policy: TransferPolicy | undefined): void {
    this.#transfers = policy;
    if (policy === undefined) return;
    const nowMs = (): number => this.#clock.nowMs();
    this.#desk = new TransferDesk({ policy, histories: () => this.#histories, nowMs });
  }

  /** Queries are answered between two pages, from the zones before. */
  #fill(apex: string, page: string): void {
    zoneOf(this.#prepared, apex).fill(recordsOnPage(page), this.#onMisfit);
  }

  #serve(): readonly ServedSerial[] {
    if (this.#misfits > 0) this.#log.warn({ misfits: this.#misfits }, 'DNS: stored records that do not fit their zone');
    this.#zones = this.#prepared;
    this.#prepared = [];
    const changes = this.#transfers?.rememberedChanges;
    this.#histories = changes === undefined ? [] : this.#zones.map((zone) => new ZoneHistory(zone, changes));
    return this.#zones.map(({ apex, serial }) => ({ apex, serial }));
  }

  #change(change: ZoneChange): ServedSerial {
    const zone = zoneOf(this.#zones, change.apex);
    const history = this.#histories.find((candidate) => candidate.zone === zone);
    (history ?? zone).apply(change);
    return { apex: zone.apex, serial: zone.serial };
  }
}

function zoneOf(zones: readonly ServedZone[] | undefined, apex: string): ServedZone {
  const zone = zones?.find((candidate) => candidate.apex === apex);
  if (zone === undefined) throw new Error(`zone ${apex} is not served`);
  return zone;
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
