/** Pebble’s renewal information (RFC 9773): moved to the past, garbled, and replacements that are taken and refused. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { MemoryAccountStore } from '../../broker/src/acme/authority-rig.ts';
import { freePort } from '../../simulator/src/world/free-port.ts';
import { BriskClock } from '../support/brisk-clock.ts';
import { serveZone } from '../support/challenge-hook.ts';
import type { ServedZones } from '../support/challenge-hook.ts';
import { InProcessBroker } from '../support/in-process-broker.ts';
import { Issuer } from '../support/issuer.ts';
import { startPebble } from '../support/pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { arePeersMissing } from '../support/peers.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const ZONE = 'devices.lanyard.test';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What Pebble answers as Retry-After. */
const POLL_MS = 6 * HOUR_MS;
/** Shorter than anything that is waited for. */
const PIECE_MS = HOUR_MS / 12;
const LOOK = /GET \/draft-ietf-acme-ari-03\/renewalInfo/;
const never = new AbortController().signal;

const known = z.object({ certificate: z.object({ serial: z.string() }) });

/** A window as the CA would say it. */
function saying(startMs: number, endMs: number): string {
  const [start, end] = [startMs, endMs].map((atMs) => new Date(atMs).toISOString());
  return JSON.stringify({ suggestedWindow: { start, end } });
}

describe.skipIf(arePeersMissing('pebble'))('an appliance whose certificate Pebble wants replaced', () => {
  const undo = undoAfterAll();

  test('has a new one after the next poll, ordered as its replacement', async () => {
    const ports = { dnsPort: await freePort(), mqttPort: await freePort() };
    const pebble = await startPebble({ host: '127.0.0.1', port: ports.dnsPort });
    undo(() => pebble.stop());
    const plan = {
      directory: await temporaryDirectory(undo),
      ca: pebble,
      zone: ZONE,
      acme: { limits: 'pebble' } as const,
    };
    const broker = await InProcessBroker.make({ ...plan, ...ports });
    undo(() => broker.stop());
    await broker.start();
    const box = await broker.makeAppliance('renewed-0001');
    undo(() => box.powerOff());
    await box.powerOn();
    const first = await box.certified();
    const { certificate } = known.parse(await broker.admin.get(`/v1/appliances/${box.deviceId}`));
    const chain = await pebble.certificate(certificate.serial);

    // Time leaps while the broker is away: what is under way would be given up otherwise.
    const clock = new BriskClock();
    await broker.stop();
    clock.leap(HOUR_MS);
    await broker.start(clock);
    await pebble.hasSaid(LOOK);
    await broker.stop();
    await pebble.setRenewalInfo(chain, saying(clock.nowMs() - 2 * DAY_MS, clock.nowMs() - DAY_MS));
    clock.leap(POLL_MS);
    await broker.start(clock);
    const second = await box.certified(first);

    expect(second.names).toEqual([box.name]);
    await pebble.hasSaid(/ARI: order .* is a replacement of/);
  });
});

describe.skipIf(arePeersMissing('pebble'))('Pebble’s renewal information', () => {
  const undo = undoAfterAll();
  const account = new MemoryAccountStore();
  const clock = new BriskClock();
  let directory: string;
  let zone: ServedZones;
  let pebble: Pebble;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    zone = await serveZone(ZONE);
    undo(() => zone.stop());
    const profiles = {
      classic: { description: '90 days', validityPeriod: 90 * 86_400 },
      shortlived: { description: '6 days', validityPeriod: 6 * 86_400 },
    };
    pebble = await startPebble(zone.address, { settings: { profiles } });
    undo(() => pebble.stop());
  });

  async function startIssuer(database: string, profile = 'classic'): Promise<Issuer> {
    const acme = { profile };
    const issuer = new Issuer({ ca: pebble, board: zone.zones, account, clock, database, acme });
    undo(() => issuer.stop());
    await issuer.start();
    return issuer;
  }

  test.each([
    ['classic', '2/3', 90, 2 / 3],
    ['shortlived', '1/2', 6, 1 / 2],
  ])('of a certificate of profile %s leaves its renewal at %s of its life', async (profile, _where, days, part) => {
    const name = `${profile}.${ZONE}`;
    const issuer = await startIssuer(':memory:', profile);
    await issuer.order(name);
    const { notBeforeMs, notAfterMs, renewAtMs, window } = await clock.leapUntil(issuer.lookedUp(name), PIECE_MS);
    const lifeMs = notAfterMs - notBeforeMs;
    expect(Math.round(lifeMs / DAY_MS)).toBe(days);
    // Pebble's own window is two days wide: of a life of six days it would end at 5/6.
    expect(window).toBeDefined();
    expect(Math.abs((renewAtMs - notBeforeMs) / lifeMs - part)).toBeLessThan(0.02);
  });

  test.each([
    ['no JSON', '<html>'],
    ['a list', '[]'],
    ['no window', '{}'],
    ['a window without end', '{"suggestedWindow":{"start":"2026-01-01T00:00:00Z"}}'],
    ['a window that ends before it starts', saying(2 * DAY_MS, DAY_MS)],
    ['a window of no length', saying(DAY_MS, DAY_MS)],
    ['words for dates', '{"suggestedWindow":{"start":"soon","end":"later"}}'],
    ['far too much', 'x'.repeat(2 ** 21)],
  ])('that is %s moves nothing', async (what, answer) => {
    const name = `garbled-${what.length}.${ZONE}`;
    const issuer = await startIssuer(':memory:');
    const { chain, renewAtMs, renewalId = '' } = await issuer.order(name);
    await pebble.setRenewalInfo(chain, answer);
    await expect(issuer.authority.renewalInfo(renewalId, never)).rejects.toMatchObject({ code: 'authority-protocol' });
    const { window, lookUpAtMs = 0, ...after } = await clock.leapUntil(issuer.lookedUp(name), PIECE_MS);
    expect([after.renewAtMs, window]).toEqual([renewAtMs, undefined]);
    // RFC 9773 §4.3.3: asked again after six hours.
    expect(lookUpAtMs - clock.nowMs()).toBeGreaterThan(5 * HOUR_MS);
  });

  test('a broker that was restored from a backup replaces once more what was replaced: refused, and ordered without', async () => {
    const name = `restored.${ZONE}`;
    const files = { now: join(directory, 'now.sqlite'), backup: join(directory, 'backup.sqlite') };
    const before = await startIssuer(files.now);
    const first = await before.order(name);
    await before.stop();
    await copyFile(files.now, files.backup);
    const after = await startIssuer(files.now);
    await after.order(name);
    await pebble.hasSaid(/ARI: order .* is a replacement of/);

    const restored = await startIssuer(files.backup);
    const replaces = first.renewalId ?? '';
    const refused = restored.authority.newOrder({ names: [name], replaces }, never);
    await expect(refused).rejects.toMatchObject({ code: 'authority-replacement-refused', details: { status: 409 } });
    const third = await restored.order(name);

    expect(third.fingerprint).not.toBe(first.fingerprint);
    expect(restored.delays).toEqual(['authority-replacement-refused']);
    expect(pebble.said().match(/ARI: order .* is a replacement of/g)).toHaveLength(1);
  });
});
