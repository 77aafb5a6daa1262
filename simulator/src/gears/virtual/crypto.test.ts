import { X509Certificate, createPrivateKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { lineOf } from '../event-hash.ts';
import type { BusyOutcome } from './test-busy-run.ts';
import { busyRun } from './test-busy-run.ts';

test.each(['stub', 'pooled'] as const)(
  '%s: the same seed makes the same events, another seed others',
  async (crypto) => {
    const [first, again, other] = [
      await busyRun({ crypto }),
      await busyRun({ crypto }),
      await busyRun({ crypto, seed: 2, days: 20 }),
    ];
    expect(certificatesOf(first).every(({ length }) => length === 2)).toBe(true);
    expect(again.eventHash).toBe(first.eventHash);
    expect(other.eventHash).not.toBe(first.eventHash);
    expect(again.world.boxes.map(({ flash }) => flash.image())).toEqual(
      first.world.boxes.map(({ flash }) => flash.image()),
    );
  },
);

test('real: certificates of the CA, renewed in time, and the same events each time although the keys differ', async () => {
  const runs: BusyOutcome[] = [];
  for (let round = 0; round < 3; round++) runs.push(await busyRun({ crypto: 'real', appliances: 10, days: 70 }));
  const [first, again] = runs;
  for (const box of first!.world.boxes) expectGood(first!, box.number);
  expect(first!.told.filter(({ kind }) => kind === 'expired')).toEqual([]);
  expect(certificatesOf(first!).every(({ length }) => length === 2)).toBe(true);
  expect(new Set(runs.map(({ eventHash }) => eventHash)).size).toBe(1);
  const [key, otherKey] = [first!, again!].map((run) => pairOf(run, 0).key);
  expect(key).not.toBe(otherKey);
});

test('pooled: OpenSSL takes keys and certificates for what they are, and no key is used twice', async () => {
  const run = await busyRun({ crypto: 'pooled', appliances: 10, days: 70 });
  for (const box of run.world.boxes) expectGood(run, box.number);
  const keys = run.told.flatMap((fact) => (fact.kind === 'order-opened' ? [fact.keyHash] : []));
  expect(keys.length).toBeGreaterThanOrEqual(20);
  expect(new Set(keys).size).toBe(keys.length);
});

test('an appliance alone does what it does among others, until the CA’s and the broker’s dice come in', async () => {
  const wish = { crypto: 'pooled', appliances: 12, days: 40 } as const;
  const number = 7;
  const [crowd, alone] = [await busyRun(wish), await busyRun({ ...wish, only: number })].map((run) =>
    run.told.filter((fact) => 'appliance' in fact && fact.appliance === number),
  );
  const others = new Set(
    (await busyRun({ ...wish, only: number })).told.map((fact) => 'appliance' in fact && fact.appliance),
  );
  expect([...others].filter((one) => typeof one === 'number')).toEqual([number]);
  const ordered = crowd!.findIndex(({ kind }) => kind === 'authority');
  expect(ordered).toBeGreaterThan(3);
  expect(alone!.slice(0, ordered).map(lineOf)).toEqual(crowd!.slice(0, ordered).map(lineOf));
  const installed = crowd!.findIndex(({ kind }) => kind === 'installed') + 1;
  expect(alone!.slice(0, installed).map(({ kind }) => kind)).toEqual(
    crowd!.slice(0, installed).map(({ kind }) => kind),
  );
});

function certificatesOf({ told, world }: BusyOutcome): readonly (readonly unknown[])[] {
  const installed = told.filter((fact) => fact.kind === 'installed');
  return world.boxes.map(({ number }) => installed.filter((fact) => fact.appliance === number));
}

function pairOf({ world }: BusyOutcome, number: number): { key: string; chain: string } {
  const entry = world.boxes[number]?.flash.image().get('current');
  return JSON.parse(Buffer.from(entry ?? []).toString());
}

/** By Node alone, without the SDK's checks. */
function expectGood(run: BusyOutcome, number: number): void {
  const { key, chain } = pairOf(run, number);
  const [leaf, issuer] = (chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
  const root = new X509Certificate(run.world.authority.rootPem!);
  expect(leaf!.verify(issuer!.publicKey) && leaf!.checkIssued(issuer!)).toBe(true);
  expect(issuer!.verify(root.publicKey) && issuer!.checkIssued(root) && issuer!.ca).toBe(true);
  expect(leaf!.checkPrivateKey(createPrivateKey(key))).toBe(true);
  const name = run.world.nameOf({ number })!;
  expect(leaf!.checkHost(name)).toBe(name);
  expect(leaf!.validToDate.getTime()).toBeGreaterThan(run.world.clock.nowMs());
}
