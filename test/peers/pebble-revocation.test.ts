/** A certificate that its own key revokes at Pebble, through the appliance; and the key, which Pebble then blocks. */
import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../simulator/src/world/free-port.ts';
import { InProcessBroker } from '../support/in-process-broker.ts';
import { startPebble } from '../support/pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { arePeersMissing } from '../support/peers.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';
import type { Box } from '../stories/box.ts';

const ZONE = 'devices.lanyard.test';
const BY_KEY = { reason: 'key-compromise', signedBy: 'appliance' };

const known = z.object({
  certificate: z.object({
    serial: z.string(),
    fingerprint: z.string(),
    revoked: z.object({ reason: z.string() }).optional(),
  }),
});
const refused = z.object({ keys: z.array(z.object({ keyHash: z.string(), reason: z.string() })) });

describe.skipIf(arePeersMissing('pebble'))('a certificate whose key is in wrong hands', () => {
  const undo = undoAfterAll();
  let pebble: Pebble;
  let broker: InProcessBroker;
  let box: Box;
  let stolen: KeyObject;

  beforeAll(async () => {
    const ports = { dnsPort: await freePort(), mqttPort: await freePort() };
    pebble = await startPebble({ host: '127.0.0.1', port: ports.dnsPort });
    undo(() => pebble.stop());
    const directory = await temporaryDirectory(undo);
    broker = await InProcessBroker.make({ directory, ca: pebble, zone: ZONE, ...ports, acme: { limits: 'pebble' } });
    undo(() => broker.stop());
    await broker.start();
    box = await broker.makeAppliance('stolen-0001');
    undo(() => box.powerOff());
    await box.powerOn();
  });

  const show = async () => known.parse(await broker.admin.get(`/v1/appliances/${box.deviceId}`)).certificate;
  const revoke = (deviceId: string) => broker.admin.post(`/v1/appliances/${deviceId}/revoke`, BY_KEY, 60_000);

  test('is revoked at Pebble by that key, and the appliance gets another one with another key', async () => {
    const first = await box.certified();
    const { serial } = await show();
    stolen = new X509Certificate(await pebble.certificate(serial)).publicKey;
    expect(await pebble.standing(serial)).toEqual({ status: 'Valid' });
    await revoke(box.deviceId);
    expect(await pebble.standing(serial)).toMatchObject({ status: 'Revoked', reason: 1 });
    const second = await box.certified(first);
    expect((await show()).fingerprint).toBe(second.fingerprint);
    expect((await show()).revoked).toBeUndefined();
  });

  test('leaves its key on the broker’s list of refused keys', async () => {
    const { keys } = refused.parse(await broker.admin.get('/v1/refused-keys'));
    expect(keys).toEqual([{ keyHash: hashOf(stolen), reason: 'key-compromise' }]);
    const publicKey = stolen.export({ format: 'pem', type: 'spki' }).toString();
    await expect(broker.admin.post('/v1/appliances', { deviceId: 'stolen-0002', publicKey })).rejects.toMatchObject({
      code: 'csr-key-refused',
    });
  });

  test('is not revoked when the appliance is away, and the operator is told', async () => {
    await box.powerOff();
    const { serial } = await show();
    await expect(revoke(box.deviceId)).rejects.toMatchObject({ code: 'revocation-unsigned', message: /not connected/ });
    expect(await pebble.standing(serial)).toEqual({ status: 'Valid' });
  });
});

function hashOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}
