/** Pebble’s accounts: tied to a customer, and forgotten in the middle of the work. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBroker } from '@lanyard/broker';
import { silentLogger } from '@lanyard/sdk/kernel';
import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryAccountStore } from '../../broker/src/acme/authority-rig.ts';
import { BriskClock } from '../support/brisk-clock.ts';
import { serveZone } from '../support/challenge-hook.ts';
import type { ServedZones } from '../support/challenge-hook.ts';
import { makeSettings } from '../support/in-process-broker.ts';
import { Issuer } from '../support/issuer.ts';
import type { IssuerParts } from '../support/issuer.ts';
import { opensslVerify } from '../support/openssl.ts';
import { startPebble } from '../support/pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { arePeersMissing } from '../support/peers.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const ZONE = 'devices.lanyard.test';

describe.skipIf(arePeersMissing('pebble'))('a CA that takes only customers', () => {
  const undo = undoAfterAll();
  const hmacKey = Buffer.from('the key of a customer of Pebble.').toString('base64url');
  const wrongKey = Buffer.from('the key of somebody else, alas..').toString('base64url');
  let zone: ServedZones;
  let pebble: Pebble;
  let directory: string;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    zone = await serveZone(ZONE);
    undo(() => zone.stop());
    pebble = await startPebble(zone.address, {
      settings: { externalAccountBindingRequired: true, externalAccountMACKeys: { 'kid-1': hmacKey } },
    });
    undo(() => pebble.stop());
  });

  function issuer(acme: IssuerParts['acme']): Issuer {
    const made = new Issuer({ ca: pebble, board: zone.zones, ...(acme && { acme }) });
    undo(() => made.stop());
    return made;
  }

  test('issues to an account that is tied to one', async () => {
    const ours = issuer({ externalAccount: { kid: 'kid-1', hmacKey } });
    await ours.start();
    expect((await ours.order(`customer.${ZONE}`)).names).toEqual([`customer.${ZONE}`]);
  });

  test.each([
    [
      'with the wrong key',
      { externalAccount: { kid: 'kid-1', hmacKey: wrongKey } },
      /^acme.externalAccount \(kid kid-1/,
    ],
    ['with an unknown one', { externalAccount: { kid: 'kid-2', hmacKey } }, /^acme.externalAccount \(kid kid-2/],
    ['with none', {}, /^the CA wants acme.externalAccount/],
  ])('refuses an account %s, and the setting is named', async (_what, acme, message) => {
    const refused = issuer(acme).start();
    await expect(refused).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringMatching(message) });
  });

  test('is reached by a broker whose settings name the file with the key, as long as nobody else can read it', async () => {
    const hmacKeyFile = join(directory, 'external-account.key');
    await writeFile(hmacKeyFile, `${hmacKey}\n`, { mode: 0o600 });
    const externalAccount = { kid: 'kid-1', hmacKeyFile };
    const plan = { directory, ca: pebble, zone: ZONE, dnsPort: 0, mqttPort: 0, acme: { externalAccount } };
    const parts = { ...(await makeSettings(plan)), log: silentLogger, onFailure: () => undefined };
    const broker = await createBroker(parts);
    await broker.start();
    await broker.stop();
    expect(pebble.said()).toContain('Successful newAccount Binding with CA using kid "kid-1"');
    await chmod(hmacKeyFile, 0o640);
    await expect(createBroker(parts)).rejects.toMatchObject({ code: 'config-unreadable' });
  });
});

describe.skipIf(arePeersMissing('pebble', 'openssl'))('Pebble that is killed and starts empty', () => {
  const undo = undoAfterAll();
  const account = new MemoryAccountStore();
  const clock = new BriskClock(60);
  const names = Array.from({ length: 20 }, (_, index) => `restart-${index}.${ZONE}`);
  let zone: ServedZones;
  let pebble: Pebble;
  let issuer: Issuer;
  let directory: string;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    zone = await serveZone(ZONE);
    undo(() => zone.stop());
    pebble = await startPebble(zone.address);
    undo(() => pebble.stop());
    issuer = newIssuer();
    undo(() => issuer.stop());
    await issuer.start();
  });

  function newIssuer(): Issuer {
    const database = join(directory, 'issuer.sqlite');
    return new Issuer({ ca: pebble, board: zone.zones, account, clock, database });
  }

  test('in the middle of twenty orders: all are issued in the end, and no record is left', async () => {
    let issuedBefore = 0;
    let isKilled = false;
    const orders = names.map(async (name) => {
      const certificate = await issuer.order(name);
      if (!isKilled) issuedBefore += 1;
      return certificate;
    });
    await Promise.race(orders);
    const formerUrl = issuer.authority.accountUrl;
    isKilled = true;
    await pebble.kill();
    await pebble.start();
    const certificates = await Promise.all(orders);

    expect(certificates.map((each) => each.names)).toEqual(names.map((name) => [name]));
    expect(issuedBefore).toBeLessThan(names.length);
    expect(issuer.delays).toContain('authority-order-lost');
    expect(issuer.authority.accountUrl).not.toBe(formerUrl);
    expect(account.writes.at(-1)?.url).toBe(issuer.authority.accountUrl);
    expect(new Set(account.writes.map(({ keyPem }) => keyPem)).size).toBe(1);
    expect(await zone.zones.list()).toEqual([]);
  });

  test('while the issuer was away: what it does not know cannot be replaced, and is ordered as if it were new', async () => {
    const [name = ''] = names;
    const former = await issuer.newest(name);
    await issuer.stop();
    await pebble.kill();
    await pebble.start();
    issuer = newIssuer();
    await issuer.start();
    const { chain, fingerprint } = await issuer.order(name);
    expect(fingerprint).not.toBe(former.fingerprint);
    expect(issuer.delays).toEqual(['authority-replacement-refused']);
    const verified = await opensslVerify({ chain, root: pebble.rootPem, name, directory });
    expect(verified.code).toBe(0);
  });
});
