/** Revocations that an appliance has signed, on their way to the CA. */
import { X509Certificate, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RevocationByKey, RevocationTicket } from '../certificates/authority.ts';
import { createPrivateCa } from '../pki/private-ca.ts';
import type { AcmeAuthority } from './acme-authority.ts';
import { AuthorityRig, failure, misbehaveAt } from './authority-rig.ts';
import { problem } from './hostile-ca.ts';
import type { Fault } from './hostile-ca.ts';

const never = new AbortController().signal;
const clock = new VirtualClock();
const random = seededRandom(1);
const { certificatePem: chain, keyPem } = createPrivateCa('Test CA', { clock, random });
const certificate = new X509Certificate(chain).raw.toString('base64url');
const other = new X509Certificate(createPrivateCa('Other CA', { clock, random }).certificatePem);
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let rig: AuthorityRig;

beforeEach(async () => {
  rig = new AuthorityRig({ clock });
  await rig.start();
  rig.ca.extraResources = { revokeCert: rig.ca.url('/revoke-cert') };
});
afterEach(() => rig.stop());

async function answering(fault: Fault): Promise<AcmeAuthority> {
  rig.ca.mischief = misbehaveAt('/revoke-cert', fault);
  return await rig.started();
}

interface Changes {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly key?: string;
}

function signed(ticket: RevocationTicket, { header = {}, payload = {}, key = keyPem }: Changes = {}): RevocationByKey {
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const first = encode({ alg: 'ES256', jwk, ...ticket, ...header });
  const second = encode({ certificate, reason: 1, ...payload });
  const signature = sign('sha256', Buffer.from(`${first}.${second}`), { key, dsaEncoding: 'ieee-p1363' });
  return { chain, ticket, jws: { protected: first, payload: second, signature: signature.toString('base64url') } };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function revocations(): number {
  return rig.ca.log.filter((line) => line.includes('/revoke-cert')).length;
}

test('a ticket has the CA’s URL and a nonce of its own', async () => {
  const authority = await answering({ status: 200 });
  const [first, second] = [await authority.revocationTicket(never), await authority.revocationTicket(never)];
  expect(first.url).toBe(rig.ca.url('/revoke-cert'));
  expect(first.nonce).not.toBe(second.nonce);
});

test('a CA without revokeCert gives none', async () => {
  rig.ca.extraResources = {};
  const authority = await rig.started();
  expect(await failure(authority.revocationTicket(never))).toMatchObject({ code: 'authority-refused' });
});

describe('what the appliance has signed', () => {
  test('is handed in as it is, once', async () => {
    const authority = await answering({ status: 200 });
    await authority.revokeByKey(signed(await authority.revocationTicket(never)), never);
    expect(rig.ca.received.filter(({ path }) => path === '/revoke-cert')).toEqual([
      { method: 'POST', path: '/revoke-cert', payload: { certificate, reason: 1 } },
    ]);
  });

  test('is done when the certificate is revoked already', async () => {
    const authority = await answering(problem(400, 'alreadyRevoked', 'Certificate already revoked'));
    const revocation = signed(await authority.revocationTicket(never));
    await expect(authority.revokeByKey(revocation, never)).resolves.toBeUndefined();
  });

  test('is not signed again here when its nonce is refused', async () => {
    const authority = await answering('bad-nonce');
    const revocation = signed(await authority.revocationTicket(never));
    expect(await failure(authority.revokeByKey(revocation, never))).toMatchObject({ code: 'authority-nonce-refused' });
    expect(revocations()).toBe(1);
  });

  test.each([
    ['a CA that refuses it', problem(403, 'unauthorized', 'not the key'), 'authority-refused'],
    ['a CA that is busy', { status: 503 }, 'authority-rate-limited'],
    ['a CA that hangs up', 'cut', 'authority-unreachable'],
  ] as const)('%s is an error', async (_, fault, code) => {
    const authority = await answering(fault);
    const revocation = signed(await authority.revocationTicket(never));
    expect(await failure(authority.revokeByKey(revocation, never))).toMatchObject({ code });
  });
});

describe('not handed in', () => {
  test.each<[string, Changes]>([
    ['for another URL', { header: { url: 'https://ca.example/new-account' } }],
    ['with another nonce', { header: { nonce: 'n' } }],
    ['by another algorithm', { header: { alg: 'none' } }],
    ['without a key in it', { header: { jwk: undefined } }],
    ['in the name of an account', { header: { kid: 'https://ca.example/account/1' } }],
    ['of another certificate', { payload: { certificate: other.raw.toString('base64url') } }],
    ['for another reason', { payload: { reason: 4 } }],
    ['by another key', { key: stranger.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() }],
  ])('is what was signed %s', async (_, changes) => {
    const authority = await answering({ status: 200 });
    const revocation = signed(await authority.revocationTicket(never), changes);
    expect(await failure(authority.revokeByKey(revocation, never))).toMatchObject({ code: 'revocation-unsigned' });
    expect(revocations()).toBe(0);
  });

  test('is what is no JWS at all', async () => {
    const authority = await answering({ status: 200 });
    const ticket = await authority.revocationTicket(never);
    const jws = { protected: 'e30', payload: 'bnVsbA', signature: 'A'.repeat(86) };
    expect(await failure(authority.revokeByKey({ chain, ticket, jws }, never))).toMatchObject({
      code: 'revocation-unsigned',
    });
  });
});
