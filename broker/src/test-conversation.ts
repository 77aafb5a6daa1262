/** A broker without sockets, and one appliance that talks to it. Only for tests. */
import { createHash } from 'node:crypto';
import { silentLogger } from '@lanyard/sdk/kernel';
import type { LanyardError } from '@lanyard/sdk/kernel';
import type { DownMessage, Hello, Problem, State } from '@lanyard/sdk/protocol';
import { seededRandom } from '@lanyard/sdk/testing';
import { expect } from 'vitest';
import { csrOf } from './certificates/authority-double.ts';
import { CertificateDesk } from './certificates/desk.ts';
import { KeyRevocation } from './certificates/key-revocation.ts';
import { Reminders } from './certificates/reminders.ts';
import type { ReadSigningRequest } from './certificates/signing-request.ts';
import { World, honest } from './certificates/test-life.ts';
import type { Witness } from './certificates/test-life.ts';
import { Conversation } from './conversation.ts';
import { nameOf } from './fleet/appliance.ts';
import { Fleet } from './fleet/fleet.ts';

export const DEVICE = 'appliance-1';
export const IDENTITY = 'identity-key-1';
export const KEY = hash('key 1');

export const hello: Hello = {
  id: 'hello-1',
  bootId: 'boot-1',
  clockMs: 0,
  addresses: [{ address: '192.168.1.20', interface: 'eth0', isDefaultRoute: true }],
  sdkVersion: '0.1.0',
  rebinding: 'unknown',
};

interface BenchOptions {
  readonly witness?: Witness;
  readonly reader?: ReadSigningRequest;
  /** Of the CA. */
  readonly limits?: World['terms']['limits'];
}

/** Everything of the broker but its sockets, with one appliance enrolled and connected. */
export async function bench({ witness = honest, reader, limits = {} }: BenchOptions = {}) {
  const world = new World();
  world.terms = { ...world.terms, limits };
  const { clock, store } = world;
  const shared = { clock, random: seededRandom(7), log: silentLogger };
  const life = world.live(witness);
  const { issuance } = life;
  const desk = reader
    ? new CertificateDesk({ store: store.orders, issuance, readRequest: reader, clock, log: silentLogger })
    : life.desk;
  const published: string[] = [];
  const board = {
    error: undefined as LanyardError | undefined,
    async publish(name: string, addresses: readonly string[]): Promise<void> {
      if (board.error) throw board.error;
      published.push(`${name} ${addresses.join()}`);
    },
  };
  const addresses = { allowCgnat: false, allowGlobal: false };
  const settings = { zone: 'devices.example.com', addresses };
  const fleet = new Fleet({ store: store.appliances, board, ...shared, settings });
  const sent: DownMessage[] = [];
  const reminders = new Reminders({ clock, remind: (deviceId) => void conversation.prompt(deviceId) });
  const manners = { mode: 'resident', checkInSeconds: 21_600, reconnectSpreadSeconds: 300 } as const;
  const send = (_deviceId: string, message: DownMessage): boolean => sent.push(message) > 0;
  const keyRevocation = new KeyRevocation({ send, ...shared });
  const parts = { fleet, desk, reminders, keyRevocation, send };
  const conversation: Conversation = new Conversation({ ...parts, ...shared, settings: manners });
  issuance.onEvent({
    issued: (certificate) => conversation.issued(certificate),
    failed: (order, againAtMs) => conversation.failed(order, againAtMs),
  });
  await issuance.start();
  await reminders.start();
  const name = nameOf(await fleet.enrol(DEVICE, IDENTITY));
  const ask = (names: readonly string[] = [name], keyHash = KEY, id = 'csr-1') =>
    conversation.receive(DEVICE, { kind: 'csr', csr: { id, der: csrOf({ names, keyHash }) } });
  const greet = (said: Partial<Hello> = {}) =>
    conversation.receive(DEVICE, { kind: 'hello', hello: { ...hello, ...said } });
  return { world, clock, store, fleet, desk, conversation, keyRevocation, sent, published, board, name, ask, greet };
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function todoOf(messages: readonly DownMessage[]): State['todo'] | undefined {
  const state = messages.find((message) => message.kind === 'state');
  return state?.state.todo;
}

export function problemsIn(messages: readonly DownMessage[]): readonly Problem[] {
  return messages.flatMap((message) => (message.kind === 'problem' ? [message.problem] : []));
}

export function fingerprintIn(messages: readonly DownMessage[]): string {
  for (const message of messages) {
    if (message.kind === 'certificate' && message.certificate.kind === 'issued') return message.certificate.fingerprint;
  }
  return expect.unreachable('no certificate was sent');
}
