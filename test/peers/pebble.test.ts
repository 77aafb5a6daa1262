/** Fifty appliances get their certificates from Pebble, the reference CA, which asks our own name server. */
import { beforeAll, describe, expect, test } from 'vitest';
import { openTown } from '@lanyard/simulator';
import type { Town, VirtualAppliance } from '@lanyard/simulator';
import { forEach, untilAll } from '../../simulator/src/scenarios/crowd.ts';
import { opensslVerify, shownChain } from '../support/openssl.ts';
import { arePeersMissing, peer } from '../support/peers.ts';
import { startPebble } from '../support/pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { runToEnd } from '../support/run-to-end.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const APPLIANCES = 50;
/** Of those, how many are renewed: some with Pebble's reused proofs, some with new ones. */
const RENEWED = 10;

describe.skipIf(arePeersMissing('pebble', 'openssl', 'dig'))('with Pebble as the CA', () => {
  const undo = undoAfterAll();
  let pebble: Pebble;
  let town: Town;
  let directory: string;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    town = await openTown({
      appliances: APPLIANCES,
      sites: 20,
      seed: 1,
      startAuthority: async (nameServer) => (pebble = await startPebble(nameServer)),
    });
    undo(() => town.close());
    await forEach(town.appliances, (appliance) => appliance.powerOn());
  });

  const fingerprints = (): (string | undefined)[] => town.appliances.map((each) => each.certificate()?.fingerprint);

  test('every appliance ends with a certificate, although one nonce in twenty is refused', async () => {
    await untilAll(
      town.appliances,
      'certified',
      (appliance) => appliance.certificate() !== undefined,
      () => {},
    );
    expect(new Set(fingerprints()).size).toBe(APPLIANCES);
    expect(pebble.said()).toContain('Configured to reject 5% of good nonces');
  });

  test('what each serves is verified by Node and by OpenSSL, to Pebble’s root and for its name', async () => {
    const opinions = await forEach(town.appliances, async (appliance) => {
      const { hasPadlock, complaint } = await town.visit(appliance);
      const chain = await chainOf(appliance);
      const verified = await opensslVerify({ chain, root: town.authority.rootPem, name: appliance.name, directory });
      return { complaint, hasPadlock, openssl: verified.code === 0 ? 'OK' : verified.report };
    });
    expect(opinions).toEqual(Array.from({ length: APPLIANCES }, () => ({ hasPadlock: true, openssl: 'OK' })));
  });

  test('OpenSSL refuses the same chain for another name', async () => {
    const [appliance, other] = town.appliances;
    const chain = await chainOf(appliance!);
    const verified = await opensslVerify({ chain, root: town.authority.rootPem, name: other!.name, directory });
    expect(verified.code).not.toBe(0);
    expect(verified.report).toContain('hostname mismatch');
  });

  test('renewals get new certificates, whether Pebble asks for a new proof or not', async () => {
    const before = fingerprints();
    const renewed = town.appliances.slice(0, RENEWED);
    await forEach(renewed, ({ deviceId }) => town.admin.post(`/v1/appliances/${deviceId}/renew`));
    const isRenewed = (appliance: VirtualAppliance): boolean =>
      !before.includes(appliance.certificate()?.fingerprint) && appliance.certificate() !== undefined;
    await untilAll(renewed, 'renewed', isRenewed, () => {});
    expect(town.appliances.filter(isRenewed)).toHaveLength(RENEWED);
  });

  test('no challenge record is left in the zone', async () => {
    const statuses = await forEach(town.appliances, ({ name }) => lookForChallenge(town, name));
    expect(statuses).toEqual(Array.from({ length: APPLIANCES }, () => 'NXDOMAIN'));
  });
});

async function chainOf(appliance: VirtualAppliance): Promise<string> {
  const endpoint = appliance.lan.reach(appliance.address);
  if (endpoint === undefined) throw new Error(`${appliance.deviceId} is not in its LAN`);
  return await shownChain(endpoint.host, endpoint.port, appliance.name);
}

async function lookForChallenge({ nameServer }: Town, name: string): Promise<string | undefined> {
  const where = [`@${nameServer.host}`, '-p', String(nameServer.port)];
  const { stdout } = await runToEnd(peer('dig'), [...where, `_acme-challenge.${name}`, 'TXT', '+norec']);
  return /status: (\w+)/.exec(stdout)?.[1];
}
