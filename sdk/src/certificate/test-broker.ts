/** A broker and its CA for tests, in place of a link: honest until it is told to misbehave. */
import { createHash, createPublicKey } from 'node:crypto';
import { CertificationRequest } from 'pkijs';
import { LanyardError } from '../kernel/errors.ts';
import { issue, SERVER_AUTH } from '../link/test-authority.ts';
import type { Issued, Wish } from '../link/test-authority.ts';
import type { Link, LinkEvent } from '../link/link.ts';
import type { IssuedCertificate } from '../protocol/certificate.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import { decodeBody } from '../protocol/body.ts';
import { encodeUp, parseUp } from '../protocol/up-message.ts';
import type { UpMessage } from '../protocol/up-message.ts';
import type { State, Todo } from '../protocol/state.ts';
import { keyHashOf, readChain, readCredential } from './credential.ts';
import type { Credential } from './credential.ts';

const DAY_MS = 24 * 60 * 60_000;

type Sent<K extends UpMessage['kind']> = Extract<UpMessage, { kind: K }>;

export class TestBroker implements Link {
  names: readonly string[] = ['box.devices.example'];
  nowMs = Date.UTC(2026, 10, 22);
  mode: State['mode'] = 'resident';
  /** What it answers to hello; by itself it asks for what is missing. */
  todo: Todo | undefined;
  isSilent = false;
  isReachable = true;
  /** Changes what the CA issues. */
  wish: Partial<Wish> = {};
  /** Changes what is said. */
  tamper: (message: DownMessage) => DownMessage = (message) => message;
  readonly sent: UpMessage[] = [];
  spreadMs = 0;
  readonly #root: Issued;
  #listener: (event: LinkEvent) => void = () => {};
  #isUp = false;
  #seen = 0;
  #wakers: (() => void)[] = [];

  private constructor(root: Issued) {
    this.#root = root;
  }

  static async make(): Promise<TestBroker> {
    return new TestBroker(await issue({ commonName: 'Test Root', isAuthority: true }));
  }

  get rootPem(): string {
    return this.#root.certificatePem;
  }

  onEvent(listener: (event: LinkEvent) => void): void {
    this.#listener = listener;
  }

  async start(): Promise<void> {
    await Promise.resolve();
    if (this.isReachable) this.connect();
    else this.drop();
  }

  async stop(): Promise<void> {
    this.#isUp = false;
  }

  setReconnectSpread(spreadMs: number): void {
    this.spreadMs = spreadMs;
  }

  connect(): void {
    this.#isUp = true;
    this.#listener({ kind: 'up' });
  }

  drop(retryAtMs = this.nowMs + 1000): void {
    this.#isUp = false;
    this.#listener({ kind: 'down', error: new LanyardError('broker-unreachable'), retryAtMs });
  }

  send(message: UpMessage): boolean {
    if (!this.#isUp) return false;
    const body = decodeBody(encodeUp(message));
    const parsed = body.ok ? parseUp(message.kind, body.value) : body;
    if (!parsed.ok) throw new Error(`the appliance said what the wire does not allow: ${parsed.message}`);
    this.sent.push(parsed.value);
    for (const wake of this.#wakers.splice(0)) wake();
    if (!this.isSilent) void this.#answer(parsed.value);
    return true;
  }

  say(message: DownMessage): void {
    if (this.#isUp) this.#listener({ kind: 'message', message: this.tamper(message) });
  }

  /** The next message of that kind that was not waited for yet. */
  async next<K extends UpMessage['kind']>(kind: K): Promise<Sent<K>> {
    for (;;) {
      while (this.#seen < this.sent.length) {
        const message = this.sent[this.#seen++];
        if (message !== undefined && isKind(message, kind)) return message;
      }
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
  }

  stateFor(todo: Todo, id?: string): DownMessage {
    const state: State = {
      ...(id === undefined ? {} : { id }),
      serverTimeMs: this.nowMs,
      names: this.names,
      published: ['10.1.1.4'],
      withheld: [],
      mode: this.mode,
      nextCheckInSeconds: 6 * 60 * 60,
      reconnectSpreadSeconds: 60,
      todo,
    };
    return { kind: 'state', state };
  }

  /** A certificate for the key of a signing request. */
  async issue(der: Uint8Array): Promise<IssuedCertificate> {
    const request = CertificationRequest.fromBER(new Uint8Array(der).buffer);
    const spki = Buffer.from(request.subjectPublicKeyInfo.toSchema().toBER());
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const keyPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const dates = { notBeforeMs: this.nowMs - 60_000, notAfterMs: this.nowMs + 90 * DAY_MS };
    const wish = { commonName: 'leaf', hosts: this.names, usages: [SERVER_AUTH], keyPem, ...dates, ...this.wish };
    return describe((await issue(wish, this.#root)).certificatePem, wish.hosts, wish.notAfterMs);
  }

  /** A key and certificate as a vault holds them. */
  async credential(): Promise<Credential> {
    const dates = { notBeforeMs: this.nowMs - DAY_MS, notAfterMs: this.nowMs + 60 * DAY_MS };
    const wish = { commonName: 'leaf', hosts: this.names, usages: [SERVER_AUTH], ...dates, ...this.wish };
    const { keyPem, certificatePem } = await issue(wish, this.#root);
    return readCredential(keyPem, certificatePem);
  }

  async #answer(message: UpMessage): Promise<void> {
    await Promise.resolve();
    if (message.kind === 'hello') {
      const missing: Todo = { kind: 'request', reason: 'first' };
      const todo = this.todo ?? (message.hello.certificate ? { kind: 'nothing' } : missing);
      return this.say(this.stateFor(todo, message.hello.id));
    }
    if (message.kind !== 'csr') return;
    const certificate = await this.issue(message.csr.der);
    this.say({ kind: 'certificate', certificate: { kind: 'accepted', keyHash: certificate.keyHash, etaSeconds: 30 } });
    this.say({ kind: 'certificate', certificate });
  }
}

function isKind<K extends UpMessage['kind']>(message: UpMessage, kind: K): message is Sent<K> {
  return message.kind === kind;
}

function describe(chain: string, names: readonly string[], notAfterMs: number): IssuedCertificate {
  const [leaf] = readChain(chain);
  const fingerprint = createHash('sha256').update(leaf.raw).digest('hex');
  const keyHash = keyHashOf(leaf.publicKey);
  return { kind: 'issued', chain, fingerprint, keyHash, names, notAfterMs, renewAtMs: notAfterMs - 30 * DAY_MS };
}
