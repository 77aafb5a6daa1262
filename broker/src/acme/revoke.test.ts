import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { createPrivateCa } from '../pki/private-ca.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AcmeAuthority } from './acme-authority.ts';
import { AuthorityRig, failure, misbehaveAt } from './authority-rig.ts';
import { problem } from './hostile-ca.ts';
import type { Fault } from './hostile-ca.ts';

const never = new AbortController().signal;
const clock = new VirtualClock();
const { certificatePem } = createPrivateCa('Test CA', { clock, random: seededRandom(1) });

let rig: AuthorityRig;

beforeEach(async () => {
  rig = new AuthorityRig({ clock });
  await rig.start();
});
afterEach(() => rig.stop());

async function revoking(fault: Fault): Promise<AcmeAuthority> {
  rig.ca.extraResources = { revokeCert: rig.ca.url('/revoke-cert') };
  rig.ca.mischief = misbehaveAt('/revoke-cert', fault);
  return await rig.started();
}

test('a certificate is revoked with one signed request, whose answer has no body', async () => {
  const authority = await revoking({ status: 200, body: '' });
  await expect(authority.revoke(certificatePem, 'superseded', never)).resolves.toBeUndefined();
  expect(rig.ca.log.filter((line) => line.includes('/revoke-cert'))).toEqual(['POST /revoke-cert']);
});

test('one that is revoked already stays so', async () => {
  const authority = await revoking(problem(400, 'alreadyRevoked', 'Certificate already revoked'));
  await expect(authority.revoke(certificatePem, 'superseded', never)).resolves.toBeUndefined();
});

test.each([
  ['a reason that it does not take', problem(400, 'badRevocationReason', 'unsupported'), 'authority-refused'],
  ['a certificate of another account', problem(403, 'unauthorized', 'not yours'), 'authority-refused'],
  ['a CA that is busy', { status: 503, body: '' }, 'authority-rate-limited'],
  ['a CA that hangs up', 'cut', 'authority-unreachable'],
] as const)('%s is an error', async (_what, fault, code) => {
  const authority = await revoking(fault);
  expect(await failure(authority.revoke(certificatePem, 'superseded', never))).toMatchObject({ code });
});
