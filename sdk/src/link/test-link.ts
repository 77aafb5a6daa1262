/** Links under test, with a private CA, brokers, and a clock and dice that do as they are told. */
import { connect as connectTcp } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { AedesOptions } from 'aedes';
import { afterEach, beforeAll } from 'vitest';
import type { Identity } from '../identity/identity.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { LinkEvent } from './link.ts';
import { MqttLink } from './mqtt-link.ts';
import type { MqttLinkParts } from './mqtt-link.ts';
import { CLIENT_AUTH, SERVER_AUTH, issue } from './test-authority.ts';
import type { Issued } from './test-authority.ts';
import { TestBroker, listen, startOpenSsl } from './test-broker.ts';
import type { Listening } from './test-broker.ts';

export const DEVICE = 'camera-00042';

type Down = Extract<LinkEvent, { kind: 'down' }>;

interface Next {
  (kind: 'down'): Promise<Down>;
  (kind: LinkEvent['kind']): Promise<LinkEvent>;
}

export interface LinkUnderTest {
  readonly link: MqttLink;
  readonly clock: VirtualClock;
  readonly events: readonly LinkEvent[];
  /** The next event of the kind that was not asked for yet. */
  readonly next: Next;
}

type LinkWish = Partial<Omit<MqttLinkParts, 'clock'>> & {
  readonly clock?: VirtualClock;
  readonly onEvent?: (event: LinkEvent) => void;
};

interface Reachable {
  readonly port: number;
}

/** A goodbye takes three seconds of the clock at most. */
const LONG_ENOUGH_MS = 60_000;

/** Registers what must happen before and after the tests of a file. */
export function useLinks(): LinkRig {
  const rig = new LinkRig();
  beforeAll(() => rig.prepare());
  afterEach(() => rig.close());
  return rig;
}

export class LinkRig {
  readonly #toClose: (() => Promise<void>)[] = [];
  #parts:
    | { readonly root: Issued; readonly server: Issued; readonly deviceRoot: Issued; readonly identity: Identity }
    | undefined;

  async prepare(): Promise<void> {
    const root = await issue({ commonName: 'broker root', isAuthority: true });
    const deviceRoot = await issue({ commonName: 'device root', isAuthority: true });
    const server = await issue({ commonName: 'broker', addresses: ['127.0.0.1'], usages: [SERVER_AUTH] }, root);
    const device = await issue({ commonName: DEVICE, usages: [CLIENT_AUTH] }, deviceRoot);
    const identity = { deviceId: DEVICE, ...device, brokerRootPem: root.certificatePem };
    this.#parts = { root, server, deviceRoot, identity };
  }

  async close(): Promise<void> {
    for (const close of this.#toClose.splice(0).toReversed()) await close();
  }

  /** The root that the appliance pins. */
  get root(): Issued {
    return this.#ready.root;
  }

  get server(): Issued {
    return this.#ready.server;
  }

  get identity(): Identity {
    return this.#ready.identity;
  }

  async startBroker(options: AedesOptions = {}, chain?: readonly Issued[], port = 0): Promise<TestBroker> {
    const { server, deviceRoot } = this.#ready;
    const clientRootPem = deviceRoot.certificatePem;
    const broker = await TestBroker.start({ deviceId: DEVICE, chain: chain ?? [server], clientRootPem, port, options });
    this.#toClose.push(() => broker.close());
    return broker;
  }

  /** A broker that is a plain socket server. */
  async listen(server: Server): Promise<Listening> {
    return this.#closing(await listen(server));
  }

  async startOpenSsl(): Promise<Listening> {
    const { server, deviceRoot } = this.#ready;
    return this.#closing(await startOpenSsl(server, deviceRoot.certificatePem));
  }

  makeLink(broker: Reachable, { onEvent, clock = new VirtualClock(), ...parts }: LinkWish = {}): LinkUnderTest {
    const link = new MqttLink({
      brokerUrls: [`mqtts://127.0.0.1:${broker.port}`],
      identity: this.identity,
      random: dice(0.5),
      log: silentLogger,
      clock,
      ...parts,
    });
    this.#toClose.push(async () => {
      const stopped = link.stop();
      await clock.advance(LONG_ENOUGH_MS);
      await stopped;
    });
    const events: LinkEvent[] = [];
    const unseen: LinkEvent[] = [];
    const arrived = new EventTarget();
    link.onEvent((event) => {
      events.push(event);
      unseen.push(event);
      arrived.dispatchEvent(new Event('event'));
      onEvent?.(event);
    });
    const next = async (kind: LinkEvent['kind']): Promise<LinkEvent> => {
      while (true) {
        const index = unseen.findIndex((event) => event.kind === kind);
        const [found] = index === -1 ? [] : unseen.splice(index, 1);
        if (found) return found;
        await new Promise((resolve) => arrived.addEventListener('event', resolve, { once: true }));
      }
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `next` finds events by their kind
    return { link, clock, events, next: next as Next };
  }

  /** A link that is up. */
  async startLink(broker: Reachable, wish: LinkWish = {}): Promise<LinkUnderTest> {
    const made = this.makeLink(broker, wish);
    await made.link.start();
    await made.next('up');
    return made;
  }

  get #ready() {
    if (!this.#parts) throw new Error('prepare() comes first');
    return this.#parts;
  }

  #closing(listening: Listening): Listening {
    this.#toClose.push(() => listening.close());
    return listening;
  }
}

/** Dice that always show the same. */
export function dice(value: number): Random {
  return { uniform: () => value, bytes: (count) => new Uint8Array(count) };
}

/** A hop to nowhere. */
export function refusedHop(): Socket {
  const hop = connectTcp(1, '127.0.0.1');
  hop.on('error', () => {});
  hop.destroy(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
  return hop;
}

/** What aedes does for a CONNACK with this return code. */
export function refuseWith(returnCode: number): AedesOptions {
  return {
    authenticate: (_client, _user, _password, done) => done(Object.assign(new Error('refused'), { returnCode }), false),
  };
}
