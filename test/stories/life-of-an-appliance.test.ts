/** The product told from the appliance: what its owner, its firmware's author and its visitors live through. */
import { Agent } from 'node:https';
import { systemClock } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { expect, onTestFinished, test } from 'vitest';
import { SmallVendor } from './small-vendor.ts';

test('an appliance that is switched on for the first time soon shows a padlock', async () => {
  const vendor = await SmallVendor.open();
  const box = await vendor.makeAppliance();

  await box.powerOn();
  await expect(box.open()).rejects.toThrow(/self[- ]signed/);
  const certificate = await box.certified();

  expect(certificate.names).toEqual([box.name]);
  expect(await box.open()).toMatchObject({ fingerprint: certificate.fingerprint });
  await box.until(({ status }) => status?.published.includes('192.168.0.20') === true);
  expect(await vendor.addressesOf(box.name)).toEqual(['192.168.0.20']);
});

test('a renewal brings a new key, and visitors who are connected notice nothing', async () => {
  const vendor = await SmallVendor.open();
  const box = await vendor.makeAppliance();
  await box.powerOn();
  const first = await box.certified();
  const staying = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => staying.destroy());
  const before = await box.open(staying);

  await vendor.admin.post(`/v1/appliances/${box.deviceId}/renew`);
  const second = await box.certified(first);

  const after = await box.open();
  expect(after.fingerprint).toBe(second.fingerprint);
  expect(after.publicKey).not.toBe(before.publicKey);
  expect(await box.open(staying)).toMatchObject({
    connection: before.connection,
    body: expect.stringContaining(box.name),
  });
  expect(vendor.authority.statistics()).toMatchObject({ orders: 2, certificates: 2 });
});

test('the name follows the appliance to another address', async () => {
  const vendor = await SmallVendor.open();
  const box = await vendor.makeAppliance();
  await box.powerOn();
  const { fingerprint } = await box.certified();

  box.moveTo('10.1.1.4');
  await box.until(({ status }) => status?.published.includes('10.1.1.4') === true);

  expect(await vendor.addressesOf(box.name)).toEqual(['10.1.1.4']);
  expect(box.certificate?.fingerprint).toBe(fingerprint);
});

test('while the broker is away the appliance serves on, and finds it again by itself', async () => {
  const vendor = await SmallVendor.open();
  const box = await vendor.makeAppliance();
  await box.powerOn();
  const { fingerprint } = await box.certified();

  await vendor.brokerGoesAway();
  await box.until(({ status }) => status?.link === 'down');
  expect(await box.open()).toMatchObject({ fingerprint });
  await box.reboot();
  expect(await box.open()).toMatchObject({ fingerprint });
  await vendor.brokerComesBack();
  await box.until(({ status }) => status?.link === 'up');

  expect(await box.open()).toMatchObject({ fingerprint });
  expect(await vendor.addressesOf(box.name)).toEqual(['192.168.0.20']);
  expect(vendor.authority.statistics()).toMatchObject({ orders: 1, certificates: 1 });
});

test('after a factory reset the appliance has a new key under its old name', async () => {
  const vendor = await SmallVendor.open();
  const box = await vendor.makeAppliance();
  await box.powerOn();
  const first = await box.certified();
  const before = await box.open();

  await box.factoryReset();
  const second = await box.certified(first);

  expect(second.names).toEqual([box.name]);
  expect((await box.open()).publicKey).not.toBe(before.publicKey);
});

test('an appliance that loses power in the middle of its request goes on with the same key and the same order', async () => {
  const vendor = await SmallVendor.open();
  const box = await vendor.makeAppliance();
  vendor.caHesitates();
  await box.powerOn();
  await vendor.caIsAsked();
  await box.powerCut();

  await box.powerOn();
  await box.until(({ status }) => status?.link === 'up');
  vendor.caDecides();
  const certificate = await box.certified();

  expect(await box.open()).toMatchObject({ fingerprint: certificate.fingerprint });
  expect(vendor.authority.statistics()).toMatchObject({ orders: 1, certificates: 1 });
});

test('an appliance that believes it is 1970 gets its certificate like any other', async () => {
  const vendor = await SmallVendor.open();
  const bootMs = systemClock.nowMs();
  const flatBattery: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() - bootMs };
  const box = await vendor.makeAppliance(flatBattery);

  await box.powerOn();
  const certificate = await box.certified();

  expect(certificate.names).toEqual([box.name]);
  expect(await box.open()).toMatchObject({ fingerprint: certificate.fingerprint });
  await box.until(({ status }) => status?.kind === 'current');
});
