/** From an operator's word to the appliance's signature and the CA. */
import { silentLogger } from '@lanyard/sdk/kernel';
import type { DownMessage, RevocationWish } from '@lanyard/sdk/protocol';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { AuthorityDouble } from './authority-double.ts';
import { KeyRevocation } from './key-revocation.ts';

const never = new AbortController().signal;
const FINGERPRINT = 'ab'.repeat(32);
const JWS = { protected: 'e30', payload: 'e30', signature: 'A'.repeat(86) };

/** How an appliance behaves; it answers at once unless told otherwise. */
type Appliance = (wish: RevocationWish, answer: (id?: string) => void) => void;

function bench(appliance: Appliance = (_, answer) => answer(), isConnected = true) {
  const clock = new VirtualClock();
  const authority = new AuthorityDouble({ clock, txt: () => [] });
  const wishes: RevocationWish[] = [];
  const send = (deviceId: string, message: DownMessage): boolean => {
    if (!isConnected || message.kind !== 'revocation') return false;
    wishes.push(message.wish);
    appliance(message.wish, (id = message.wish.id) => revocations.answered(deviceId, { id, jws: JWS }));
    return true;
  };
  const revocations: KeyRevocation = new KeyRevocation({ send, clock, random: seededRandom(1), log: silentLogger });
  const revoke = (deviceId = 'appliance-1', signal = never) =>
    revocations.revoke({ deviceId, fingerprint: FINGERPRINT, chain: `chain of ${deviceId}`, authority }, signal);
  return { clock, authority, wishes, revocations, revoke };
}

test('an appliance is told what to sign, and the CA gets it', async () => {
  const { revoke, authority, wishes } = bench();
  await revoke();
  expect(wishes).toMatchObject([{ fingerprint: FINGERPRINT, url: 'https://ca.test/revoke', nonce: 'nonce-1' }]);
  expect(authority.revokedByKey).toEqual(['chain of appliance-1']);
});

test('a nonce that has become stale is replaced once', async () => {
  const { revoke, authority, wishes } = bench();
  authority.staleNonces = 1;
  await revoke();
  expect(wishes.map(({ nonce }) => nonce)).toEqual(['nonce-1', 'nonce-2']);
  expect(authority.revokedByKey).toHaveLength(1);
  authority.staleNonces = 2;
  await expect(revoke()).rejects.toMatchObject({ code: 'authority-nonce-refused' });
  expect(wishes).toHaveLength(4);
});

test('an appliance that is away is not waited for', async () => {
  const { revoke, authority } = bench(undefined, false);
  await expect(revoke()).rejects.toMatchObject({ code: 'revocation-unsigned', message: /not connected/ });
  expect(authority.revokedByKey).toEqual([]);
});

test.each<[string, Appliance]>([
  ['that says nothing', () => {}],
  ['that answers something else', (_, answer) => answer('revoke-0')],
])('an appliance %s is given up after half a minute', async (_, appliance) => {
  const { revoke, clock, authority } = bench(appliance);
  const outcome = failure(revoke());
  await clock.advance(30_000);
  expect(await outcome).toMatchObject({ code: 'revocation-unsigned', message: /within 30 s/ });
  expect(authority.revokedByKey).toEqual([]);
});

test('an answer that comes too late, or unasked, is dropped', async () => {
  const { revoke, clock, wishes, revocations, authority } = bench(() => {});
  const outcome = failure(revoke());
  await clock.advance(30_000);
  expect(await outcome).toMatchObject({ code: 'revocation-unsigned' });
  for (const { id } of wishes) revocations.answered('appliance-1', { id, jws: JWS });
  await clock.advance(0);
  expect(authority.revokedByKey).toEqual([]);
});

test('another appliance cannot answer in its place', async () => {
  const { revoke, clock, wishes, revocations, authority } = bench(() => {});
  const outcome = failure(revoke());
  await clock.advance(0);
  for (const { id } of wishes) revocations.answered('appliance-2', { id, jws: JWS });
  await clock.advance(30_000);
  expect(await outcome).toMatchObject({ code: 'revocation-unsigned' });
  expect(authority.revokedByKey).toEqual([]);
});

test('one appliance is asked for one at a time, and sixteen at once', async () => {
  const { revoke, clock } = bench(() => {});
  const asked = Array.from({ length: 16 }, (_, n) => revoke(`appliance-${n}`).catch(() => 'given up'));
  await expect(revoke('appliance-3')).rejects.toMatchObject({ message: /already/ });
  await expect(revoke('appliance-99')).rejects.toMatchObject({ message: /16 others/ });
  await clock.advance(30_000);
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['given up']));
  const again = failure(revoke('appliance-99'));
  await clock.advance(30_000);
  expect(await again).toMatchObject({ message: /within 30 s/ });
});

test('what the wire does not carry is not sent', async () => {
  const { revoke, authority, wishes } = bench();
  authority.revocationTicket = async () => ({ url: 'http://127.0.0.1/revoke', nonce: 'n' });
  await expect(revoke()).rejects.toMatchObject({ code: 'authority-protocol' });
  expect(wishes).toEqual([]);
});

test('whoever stops waiting is told so', async () => {
  const { revoke, clock } = bench(() => {});
  const controller = new AbortController();
  const outcome = failure(revoke('appliance-1', controller.signal));
  await clock.advance(0);
  controller.abort();
  expect(await outcome).toMatchObject({ code: 'stopped' });
});

/** Takes a rejection at once, for looking at it later. */
function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
