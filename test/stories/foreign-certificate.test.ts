/** The product told from whoever watches the public logs: a certificate of ours, and one that somebody else got. */
import { systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { expect, test } from 'vitest';
import { createPrivateCa, PrivateCa } from '../../broker/src/pki/private-ca.ts';
import { SmallVendor } from './small-vendor.ts';

test('a certificate that somebody else got is an alarm until it is settled, and the appliance’s own is none', async () => {
  const vendor = await SmallVendor.open();
  const box = await vendor.makeAppliance();
  await box.powerOn();
  await box.certified();
  const { pem, fingerprint } = await box.open();
  const observe = (seen: string | undefined) => vendor.admin.post('/v1/observed-certificates', { pem: seen });
  const finding = { part: 'foreign-certificates', isHealthy: true };

  expect(await observe(pem)).toMatchObject({ verdict: 'own', certificate: { fingerprint } });
  expect(await vendor.admin.get('/healthz')).toMatchObject({ findings: expect.arrayContaining([like(finding)]) });

  const stranger = await strangersFor(box.name);
  expect(await observe(stranger)).toMatchObject({ verdict: 'foreign', certificate: { names: [box.name] } });
  // The client takes any status but success for an error.
  await expect(vendor.admin.get('/healthz')).rejects.toThrow('503');

  await vendor.brokerGoesAway();
  await vendor.brokerComesBack();
  await expect(vendor.admin.get('/healthz')).rejects.toThrow('503');
  const listed = await vendor.admin.get('/v1/foreign-certificates');
  expect(listed).toMatchObject({ certificates: [{ names: [box.name], issuer: 'CN=Stranger' }] });
  const { certificate } = Object(await observe(stranger));
  await vendor.admin.post(`/v1/foreign-certificates/${certificate.fingerprint}/settle`);
  expect(await vendor.admin.get('/healthz')).toMatchObject({ findings: expect.arrayContaining([like(finding)]) });
});

function like(facts: object): unknown {
  return expect.objectContaining(facts);
}

async function strangersFor(name: string): Promise<string> {
  const world = { clock: systemClock, random: systemRandom };
  const ca = new PrivateCa(createPrivateCa('Stranger', world), world);
  return (await ca.issueServer([name])).certificatePem;
}
