/** Pebble when it makes life hard: refused nonces, proofs that it reuses always or never, long and alternate chains. */
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateWithChain } from '../../broker/src/certificates/stored-certificate.ts';
import { BriskClock } from '../support/brisk-clock.ts';
import { serveZone } from '../support/challenge-hook.ts';
import type { ServedZones } from '../support/challenge-hook.ts';
import { Issuer } from '../support/issuer.ts';
import { opensslVerify } from '../support/openssl.ts';
import { startPebble } from '../support/pebble.ts';
import type { Pebble, PebbleWishes } from '../support/pebble.ts';
import { arePeersMissing } from '../support/peers.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const ZONE = 'devices.lanyard.test';

describe.skipIf(arePeersMissing('pebble', 'openssl'))('Pebble', () => {
  const undo = undoAfterAll();
  let zone: ServedZones;
  let directory: string;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    zone = await serveZone(ZONE);
    undo(() => zone.stop());
  });

  async function open(environment: PebbleWishes['environment'] = {}): Promise<{ pebble: Pebble; issuer: Issuer }> {
    const pebble = await startPebble(zone.address, { environment });
    undo(() => pebble.stop());
    const issuer = new Issuer({ ca: pebble, board: zone.zones, clock: new BriskClock(60) });
    undo(() => issuer.stop());
    await issuer.start();
    return { pebble, issuer };
  }

  test('that refuses every other nonce issues all the same', async () => {
    const { pebble, issuer } = await open({ PEBBLE_WFE_NONCEREJECT: '50' });
    const names = Array.from({ length: 20 }, (_, index) => `nonce-${index}.${ZONE}`);
    const issued = await Promise.all(names.map((name) => issuer.order(name)));
    expect(issued.map((each) => each.names[0])).toEqual(names);
    expect(pebble.said()).toContain('Configured to reject 50% of good nonces');
    // Six refusals of one request in a row are the only thing that may go wrong: one request in 64.
    expect(issuer.delays.filter((code) => code !== 'authority-protocol')).toEqual([]);
    expect(await zone.zones.list()).toEqual([]);
  });

  test.each([
    ['never', '0', 2],
    ['always', '100', 1],
  ])('that %s reuses a proof is shown it as often as it asks', async (when, percent, proofs) => {
    const { issuer } = await open({ PEBBLE_AUTHZREUSE: percent, PEBBLE_WFE_NONCEREJECT: '0' });
    const name = `reuse-${when}.${ZONE}`;
    const first = await issuer.order(name);
    const second = await issuer.order(name);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    expect(issuer.published).toBe(proofs);
    expect(await zone.zones.list()).toEqual([]);
  });

  describe('with alternate roots and long chains', () => {
    const name = `chain.${ZONE}`;
    let pebble: Pebble;
    let certificate: CertificateWithChain;

    beforeAll(async () => {
      const opened = await open({ PEBBLE_ALTERNATE_ROOTS: '2', PEBBLE_CHAIN_LENGTH: '3' });
      pebble = opened.pebble;
      certificate = await opened.issuer.order(name);
    });

    test('has its default chain taken as it is: the leaf and three above it, each signed by the next', () => {
      const blocks = certificate.chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
      const chain = blocks.map((block) => new X509Certificate(block));
      expect(chain).toHaveLength(4);
      expect(chain.slice(1).every((issuer, index) => chain[index]?.checkIssued(issuer))).toBe(true);
      expect(chain[0]?.checkHost(name)).toBe(name);
    });

    test.each([
      [0, true],
      [1, false],
      [2, false],
    ])('whose root %i verifies it: %s', async (index, isGood) => {
      const root = await pebble.root(index);
      const verified = await opensslVerify({ chain: certificate.chain, root, name, directory });
      expect(verified.code === 0).toBe(isGood);
    });
  });
});
