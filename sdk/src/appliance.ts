/** What firmware holds: a name, a certificate that renews itself, and the servers that show it. */
import type { RequestListener } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Server as TlsServer } from 'node:tls';
import { lanAddresses } from './address/lan-addresses.ts';
import type { AddressSource } from './address/address-source.ts';
import { x509Reader } from './certificate/certificate-reader.ts';
import { CertificateStore } from './certificate/certificate-store.ts';
import { Keeper } from './certificate/keeper.ts';
import type { KeeperEvent } from './certificate/keeper.ts';
import type { Event } from './certificate/lifecycle.ts';
import { ServerTime } from './certificate/server-time.ts';
import { deriveStatus, factsOf, statusChangesAtMs } from './certificate/status.ts';
import type { ApplianceStatus, CertificateFacts, LastProblem } from './certificate/status.ts';
import { TrustedRoots } from './certificate/trusted-roots.ts';
import { Wakeup } from './certificate/wakeup.ts';
import { fileIdentity } from './identity/file-identity.ts';
import { webCryptoKeys } from './identity/web-crypto-keys.ts';
import { systemClock } from './kernel/clock.ts';
import type { Clock } from './kernel/clock.ts';
import { describeError, LanyardError } from './kernel/errors.ts';
import { silentLogger } from './kernel/logger.ts';
import type { Logger } from './kernel/logger.ts';
import { systemRandom } from './kernel/random.ts';
import type { Random } from './kernel/random.ts';
import type { Link } from './link/link.ts';
import { MqttLink } from './link/mqtt-link.ts';
import { Listeners } from './listeners.ts';
import type { Listener } from './listeners.ts';
import { checkOptions } from './options.ts';
import type { ApplianceOptions } from './options.ts';
import type { Bye } from './protocol/bye.ts';
import { RELEASED_MS, SDK_VERSION } from './release.ts';
import { HttpsServing } from './serving/https-serving.ts';
import type { ServeOptions, TlsSettings } from './serving/https-serving.ts';
import { makeSelfSigned } from './serving/self-signed.ts';
import type { SelfSignedWish } from './serving/self-signed.ts';
import type { TlsPair } from './serving/tls-pair.ts';
import { fileVault } from './vault/file-vault.ts';

/**
 * Starts with what the vault holds and never waits for the network: it connects in the background.
 * @throws LanyardError `option-invalid`, `identity-unreadable`, or what the vault says when it cannot be read.
 */
export async function startAppliance(options: ApplianceOptions): Promise<Appliance> {
  checkOptions(options);
  const { clock = systemClock, random = systemRandom, logger: log = silentLogger } = options;
  const vault = typeof options.vault === 'string' ? fileVault(options.vault) : options.vault;
  const reader = options.certificates ?? x509Reader(new TrustedRoots(listOf(options.trustedRoots)));
  const store = new CertificateStore({ vault, reader });
  await store.load();
  const floorMs = Math.max(RELEASED_MS, store.current?.notBeforeMs ?? 0);
  const addresses = options.addresses ?? lanAddresses({ clock, log });
  const time = new ServerTime({ clock, floorMs });
  const keeper = new Keeper({
    clock,
    random,
    log,
    store,
    addresses,
    time,
    link: options.link ?? (await makeLink(options, { clock, random, log, clockFloorMs: floorMs })),
    keys: options.keys ?? webCryptoKeys,
    reader,
    introduction: {
      sdkVersion: SDK_VERSION,
      ...(options.firmwareVersion === undefined ? {} : { firmwareVersion: options.firmwareVersion }),
      ...(options.model === undefined ? {} : { model: options.model }),
    },
  });
  const appliance = new Appliance({ keeper, store, addresses, time, clock, log, floorMs });
  await keeper.start();
  return appliance;
}

/** What an appliance tells. A listener that throws is logged and disturbs nothing. */
export interface ApplianceEvents {
  /** A new certificate is verified, safe in the vault and shown by every server. */
  readonly certificate: CertificateFacts;
  /** The status became another: its kind, names, link, certificate or problem. */
  readonly state: ApplianceStatus;
  /** Something failed; the message says what and, where known, `retryAfterMs` when it is tried again. */
  readonly problem: LanyardError;
}

/** Looked at again for firmware in plain JavaScript, where a misspelt kind would never be told. */
const EVENT_KINDS: ReadonlySet<keyof ApplianceEvents> = new Set(['certificate', 'state', 'problem']);

interface ApplianceParts {
  readonly keeper: Keeper;
  readonly store: CertificateStore;
  readonly addresses: AddressSource;
  readonly time: ServerTime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly floorMs: number;
}

export class Appliance implements AsyncDisposable {
  readonly #parts: ApplianceParts;
  readonly #serving: HttpsServing;
  readonly #dates: Wakeup;
  readonly #listeners: Listeners<ApplianceEvents>;
  #closing: Promise<void> | undefined;
  #lastProblem: LastProblem | undefined;
  #toldEssence = '';
  /** What the self-signed certificate in use is for, if one is. */
  #selfSignedFor: string | undefined;

  /** Made by `startAppliance`. */
  constructor(parts: ApplianceParts) {
    this.#parts = parts;
    this.#listeners = new Listeners({
      onError: (error) => parts.log.error({ error: describeError(error) }, 'a listener threw'),
    });
    this.#serving = new HttpsServing({
      log: parts.log,
      certificate: () => parts.store.current,
      makeSelfSigned: () => this.#makeSelfSigned(),
    });
    this.#dates = new Wakeup({ clock: parts.clock, wake: () => this.#onMoved() });
    parts.keeper.onEvent((event) => this.#onKeeper(event));
  }

  /**
   * An HTTPS server that listens already and always shows the best certificate: the stored one, a self-signed one
   * before the first has come. The caller closes it.
   */
  serve(handler: RequestListener, options: ServeOptions): Promise<HttpsServer> {
    return this.#serving.serve(handler, options);
  }

  /** Keeps the certificate of a TLS or HTTPS server of one's own up to date. */
  attach(server: TlsServer, tls?: TlsSettings): Promise<void> {
    return this.#serving.attach(server, tls);
  }

  /** The stored key and chain, for web servers that are not Node's. Undefined before the first certificate. */
  tlsPair(): TlsPair | undefined {
    const { current } = this.#parts.store;
    return current && { keyPem: current.keyPem, chainPem: current.chainPem };
  }

  status(): ApplianceStatus {
    const { keeper, store, time, clock } = this.#parts;
    return deriveStatus({
      state: keeper.state,
      brokerState: keeper.brokerState,
      credential: store.current,
      lastProblem: this.#lastProblem,
      nowMs: time.nowMs(),
      monotonicMs: clock.monotonicMs(),
    });
  }

  /**
   * @returns a function that takes the listener away.
   * @throws LanyardError `option-invalid`.
   */
  on<K extends keyof ApplianceEvents>(kind: K, listener: Listener<ApplianceEvents[K]>): () => void {
    if (!EVENT_KINDS.has(kind) || typeof listener !== 'function') {
      throw new LanyardError('option-invalid', {
        message: `on(…) takes one of ${[...EVENT_KINDS].join(', ')}, and a function`,
      });
    }
    return this.#listeners.add(kind, listener);
  }

  /** Says goodbye and disconnects, within ten seconds. Servers go on with the certificate they have. */
  close(reason: Bye['reason'] = 'shutdown'): Promise<void> {
    this.#closing ??= this.#end(reason);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(reason: Bye['reason']): Promise<void> {
    this.#dates.cancel();
    this.#serving.detachAll();
    await this.#parts.keeper.stop(reason);
  }

  #onKeeper(event: KeeperEvent): void {
    switch (event.kind) {
      case 'certificate':
        return void this.#onCertificate(factsOf(event.credential));
      case 'problem': {
        const { error, retryAtMs } = event;
        const retry = retryAtMs === undefined ? {} : { retryAtMs };
        this.#lastProblem = { code: error.code, message: error.message, atMs: this.#parts.time.nowMs(), ...retry };
        this.#listeners.tell('problem', error);
        return this.#onMoved();
      }
      case 'moved':
        if (this.#lastProblem && isOvercome(this.#lastProblem, event.by, this.#parts.keeper)) {
          this.#lastProblem = undefined;
        }
        return this.#onMoved();
    }
  }

  async #onCertificate(facts: CertificateFacts): Promise<void> {
    this.#lastProblem = undefined;
    await this.#serving.refresh();
    this.#listeners.tell('certificate', facts);
  }

  #onMoved(): void {
    if (this.#closing) return;
    const { store, time, clock } = this.#parts;
    const nowMs = time.nowMs();
    const changesAtMs = statusChangesAtMs(store.current, nowMs);
    this.#dates.setAt(changesAtMs === undefined ? undefined : clock.monotonicMs() + changesAtMs - nowMs);
    this.#renewSelfSigned();
    const status = this.status();
    const essence = essenceOf(status);
    if (essence === this.#toldEssence) return;
    this.#toldEssence = essence;
    this.#listeners.tell('state', status);
  }

  /** While there is nothing better, the self-signed certificate follows the names and addresses. */
  #renewSelfSigned(): void {
    const isStale = this.#selfSignedFor !== undefined && this.#selfSignedFor !== subjectsOf(this.#selfSignedWish());
    if (this.#parts.store.current || !isStale) return;
    this.#selfSignedFor = undefined;
    this.#serving.forgetSelfSigned();
    void this.#serving.refresh();
  }

  #makeSelfSigned(): Promise<TlsPair> {
    const wish = this.#selfSignedWish();
    this.#selfSignedFor = subjectsOf(wish);
    return makeSelfSigned(wish);
  }

  #selfSignedWish(): SelfSignedWish {
    const { keeper, addresses, time, floorMs } = this.#parts;
    return {
      names: keeper.state.names,
      addresses: addresses.current().map(({ address }) => address),
      nowMs: Math.max(floorMs, time.nowMs()),
    };
  }
}

/** What makes two statuses different for a listener: not the moments in them. */
function essenceOf(status: ApplianceStatus): string {
  const { kind, names, link, published, lastProblem } = status;
  const certificate = 'certificate' in status ? status.certificate?.fingerprint : undefined;
  return JSON.stringify({ kind, names, link, published, certificate, problem: lastProblem?.message });
}

/** Whether what happened shows that the problem is over. A new certificate ends every problem. */
function isOvercome(problem: LastProblem, by: Event['kind'], keeper: Keeper): boolean {
  if (by === 'accepted') return problem.code === 'request-refused';
  if (by !== 'state-received') return false;
  return problem.code.startsWith('broker-') || keeper.brokerState?.todo.kind === 'nothing';
}

function subjectsOf({ names, addresses }: SelfSignedWish): string {
  return JSON.stringify([names, addresses]);
}

async function makeLink(
  { broker, identity, connect }: ApplianceOptions,
  parts: { readonly clock: Clock; readonly random: Random; readonly log: Logger; readonly clockFloorMs: number },
): Promise<Link> {
  if (broker === undefined || identity === undefined) throw new LanyardError('option-invalid');
  return new MqttLink({
    ...parts,
    brokerUrls: listOf(broker) ?? [],
    identity: typeof identity === 'string' ? await fileIdentity(identity) : identity,
    ...(connect ? { connect } : {}),
  });
}

function listOf(given: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof given === 'string' ? [given] : given;
}
