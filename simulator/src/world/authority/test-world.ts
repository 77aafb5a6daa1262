/** A model CA on a virtual clock with DNS that a test writes by hand, and a client in front of it. */
import { createHash, X509Certificate } from 'node:crypto';
import acme from 'acme-client';
import { silentLogger } from '@lanyard/sdk/kernel';
import { seededRandom, VirtualClock } from '@lanyard/sdk/testing';
import { AuthorityKeyIdentifier, Certificate } from 'pkijs';
import { expect } from 'vitest';
import type { AuthorityEvent } from './authority-event.ts';
import { createHierarchy } from './issuer.ts';
import { ModelAuthority } from './model-authority.ts';
import { BOULDER_POLICY, type AuthorityPolicy } from './policy.ts';
import type { CaaRecord, Resolver } from './resolver.ts';
import type { RulesOptions } from './rules.ts';
import { TestClient, type Reply } from './test-client.ts';

export const BASE_URL = 'https://ca.test';
export const NAME = 'xi8qz.devices.test';
export const ERROR = 'urn:ietf:params:acme:error:';

export class TestWorld {
  readonly clock = new VirtualClock();
  readonly random = seededRandom(7);
  readonly txt = new Map<string, readonly string[]>();
  caa: readonly CaaRecord[] = [];
  readonly events: AuthorityEvent[] = [];
  readonly core: ModelAuthority;
  readonly client: TestClient;

  constructor(policy: Partial<AuthorityPolicy> = {}, more: Partial<Pick<RulesOptions, 'limits' | 'capacity'>> = {}) {
    const { clock, random } = this;
    const resolver: Resolver = { txt: async (name) => this.txt.get(name) ?? [], caa: async () => this.caa };
    this.core = new ModelAuthority({
      clock,
      random,
      log: silentLogger,
      policy: { ...BOULDER_POLICY, nonceRejectPercent: 0, ...policy },
      hierarchy: createHierarchy({ clock, random }),
      perspectives: [resolver, resolver, resolver],
      baseUrl: BASE_URL,
      onEvent: (event) => this.events.push(event),
      ...more,
    });
    this.client = this.newClient();
  }

  newClient(bits?: number): TestClient {
    return new TestClient((request) => this.core.handle(request), BASE_URL, bits);
  }

  /** Of one kind, in their order. */
  told<K extends AuthorityEvent['kind']>(kind: K): readonly Extract<AuthorityEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<AuthorityEvent, { kind: K }> => event.kind === kind);
  }

  newOrder(names: readonly string[] = [NAME], more: object = {}, by = this.client): Promise<Reply> {
    return by.post('/acme/new-order', { identifiers: names.map((value) => ({ type: 'dns', value })), ...more });
  }

  async publishAndTrigger(order: Reply, by = this.client): Promise<Reply[]> {
    const thumbprint = createHash('sha256').update(JSON.stringify(by.jwk)).digest('base64url');
    const replies: Reply[] = [];
    for (const url of order.json.authorizations) {
      const authorization = await by.post(by.pathOf(url));
      if (authorization.json.status !== 'pending') continue;
      const challenge = authorization.json.challenges.find((one: { type: string }) => one.type === 'dns-01');
      const owner = `_acme-challenge.${authorization.json.identifier.value}`;
      const value = createHash('sha256').update(`${challenge.token}.${thumbprint}`).digest('base64url');
      this.txt.set(owner, [...(this.txt.get(owner) ?? []), value]);
      replies.push(await by.post(by.pathOf(challenge.url), {}));
    }
    return replies;
  }

  async prove(order: Reply, by = this.client): Promise<void> {
    await this.publishAndTrigger(order, by);
    await this.clock.advance(1000);
  }

  reread(order: Reply, by = this.client): Promise<Reply> {
    return by.post(by.pathOf(order.headers['Location']));
  }

  async issue(names: readonly string[] = [NAME], more: object = {}): Promise<{ pem: string; key: Buffer }> {
    const { client } = this;
    const order = await this.newOrder(names, more);
    await this.prove(order);
    const { csr, key } = await csrFor(names);
    await client.post(client.pathOf(order.json.finalize), { csr });
    await this.clock.advance(1000);
    const done = await this.reread(order);
    if (done.json.status !== 'valid') throw new Error(`the order is not valid: ${done.text}`);
    const chain = await client.post(client.pathOf(done.json.certificate));
    return { pem: chain.text, key };
  }
}

export async function csrFor(names: readonly string[] = [NAME], key?: Buffer): Promise<{ csr: string; key: Buffer }> {
  const [keyPem, request] = await acme.crypto.createCsr(
    { altNames: [...names] },
    key ?? (await acme.crypto.createPrivateEcdsaKey()),
  );
  return { csr: acme.crypto.getPemBodyAsB64u(request), key: keyPem };
}

export function derOf(pem: string): string {
  return new X509Certificate(pem).raw.toString('base64url');
}

/** Read out of the certificate, as a client has to (RFC 9773 §4.1). */
export function certIdOf(pem: string): string {
  const certificate = Certificate.fromBER(Uint8Array.from(new X509Certificate(pem).raw).buffer);
  const extension = certificate.extensions?.find((one) => one.extnID === '2.5.29.35');
  if (!(extension?.parsedValue instanceof AuthorityKeyIdentifier)) throw new Error('no authority key identifier');
  const keyId = Buffer.from(extension.parsedValue.keyIdentifier?.valueBlock.valueHexView ?? []);
  const serial = Buffer.from(certificate.serialNumber.valueBlock.valueHexView);
  return `${keyId.toString('base64url')}.${serial.toString('base64url')}`;
}

/** What a refusal looks like. */
export function problem(status: number, type: string, detail = /./): unknown {
  const headers = { 'Content-Type': 'application/problem+json', 'Replay-Nonce': expect.any(String) };
  return expect.objectContaining({
    status,
    headers: expect.objectContaining(headers),
    json: expect.objectContaining({ type: ERROR + type, detail: expect.stringMatching(detail) }),
  });
}
