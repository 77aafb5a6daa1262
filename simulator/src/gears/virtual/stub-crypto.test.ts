import { beforeEach, describe, expect, test } from 'vitest';
import type { CertificateContent } from '../../world/authority/certificate-maker.ts';
import { STUB_KEY_MARK, StubCrypto, readStubChain, readStubRequest } from './stub-crypto.ts';

const NAMES = ['b.devices.test', 'a.devices.test'];
const NOW_MS = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;
const LIFE = { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + 90 * DAY_MS, isForOtherKey: false };

let crypto: StubCrypto;
let keyPem: string;
let keyHash: string;
let chainPem: string;

beforeEach(async () => {
  crypto = new StubCrypto();
  ({ keyPem, keyHash } = await crypto.keys.makeKeyPair());
  chainPem = await chainOf();
});

async function chainOf(change: Partial<CertificateContent> = {}, names: readonly string[] = NAMES): Promise<string> {
  const draft = crypto.maker.readRequest(await crypto.keys.makeSigningRequest({ keyPem, names }));
  const { der, issuerPem } = draft.make({ names: draft.names, ...LIFE, ...change });
  const leaf = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
  return leaf + issuerPem;
}

function candidate(change: object = {}) {
  return { keyPem, chainPem, fingerprint: readStubChain(chainPem).fingerprint, names: NAMES, ...change };
}

const time = { nowMs: NOW_MS, isPlausible: true };

describe('keys', () => {
  test('no two are alike, and the same run makes the same ones', async () => {
    const others = await Promise.all([crypto.keys.makeKeyPair(), crypto.keys.makeKeyPair()]);
    const hashes = [keyHash, ...others.map((pair) => pair.keyHash)];
    expect(new Set(hashes).size).toBe(3);
    expect(hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
    expect((await new StubCrypto().keys.makeKeyPair()).keyPem).toBe(keyPem);
  });

  test('every private one can be found by its mark, and nothing else carries it', async () => {
    const request = Buffer.from(await crypto.keys.makeSigningRequest({ keyPem, names: NAMES })).toString();
    expect(keyPem).toContain(STUB_KEY_MARK);
    expect(request).not.toContain(STUB_KEY_MARK);
    expect(Buffer.from(chainPem.split('\n')[1]!, 'base64').toString()).not.toContain(STUB_KEY_MARK);
  });

  test('sizes are those of P-256: 241 characters, 250 and 900 bytes', async () => {
    expect(keyPem).toHaveLength(241);
    expect(await crypto.keys.makeSigningRequest({ keyPem, names: NAMES })).toHaveLength(250);
    expect(Buffer.from(chainPem.split('\n')[1]!, 'base64')).toHaveLength(900);
  });
});

describe('a request', () => {
  test('says to broker and CA whose it is and for which names', async () => {
    const request = await crypto.keys.makeSigningRequest({ keyPem, names: NAMES });
    expect(await readStubRequest(request)).toMatchObject({ names: NAMES, keyHash });
    expect(crypto.maker.readRequest(request)).toMatchObject({ names: NAMES.toSorted(), keyFingerprint: keyHash });
  });

  test('can be a part of a larger buffer', async () => {
    const request = await crypto.keys.makeSigningRequest({ keyPem, names: NAMES });
    const whole = Buffer.concat([Buffer.from('before'), request, Buffer.from('after')]);
    const part = new Uint8Array(whole.buffer, whole.byteOffset + 6, request.length);
    expect(await readStubRequest(part)).toMatchObject({ names: NAMES, keyHash });
  });

  test('anything else is refused by both in their own way', async () => {
    const junk = Buffer.from('STUB CERTIFICATE|aa|b|');
    await expect(readStubRequest(junk)).rejects.toMatchObject({ code: 'csr-invalid' });
    expect(() => crypto.maker.readRequest(junk)).toThrow(expect.objectContaining({ type: 'badCSR' }));
  });

  test('cannot be made with something that is no key', async () => {
    await expect(crypto.keys.makeSigningRequest({ keyPem: 'no key', names: NAMES })).rejects.toMatchObject({
      code: 'certificate-refused',
      details: { check: 'key' },
    });
  });
});

describe('a certificate', () => {
  test('says to broker and appliance the same', () => {
    const issued = readStubChain(chainPem);
    expect(issued).toMatchObject({ keyHash, names: NAMES.toSorted(), notBeforeMs: LIFE.notBeforeMs });
    expect(issued.notAfterMs).toBe(LIFE.notAfterMs);
    expect(issued.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    const { serial, renewalId, ...facts } = issued;
    expect(renewalId).toBe(`c3R1Yg.${Buffer.from(serial, 'hex').toString('base64url')}`);
    expect(crypto.reader.read(keyPem, chainPem)).toEqual({ keyPem, chainPem, ...facts });
    expect(crypto.reader.keyHash(keyPem)).toBe(keyHash);
  });

  test('has a serial of its own', async () => {
    expect(readStubChain(await chainOf()).fingerprint).not.toBe(readStubChain(chainPem).fingerprint);
  });

  test.each(['', 'no PEM at all', '-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n'])(
    '%o is none',
    (chain) => {
      expect(() => readStubChain(chain)).toThrow(expect.objectContaining({ code: 'authority-protocol' }));
    },
  );

  test('for another key is not read together with this one', async () => {
    const { keyPem: other } = await crypto.keys.makeKeyPair();
    const refusal = expect.objectContaining({ code: 'certificate-refused', details: { check: 'key' } });
    expect(() => crypto.reader.read(other, chainPem)).toThrow(refusal);
  });
});

describe('before an installation', () => {
  test('what fits is let through, also when names come in another order', () => {
    expect(crypto.reader.verify(candidate(), time)).toMatchObject({ keyHash, names: NAMES.toSorted() });
  });

  test.each<[check: string, why: string, wrong: () => Promise<object>]>([
    ['key', 'another key', async () => ({ keyPem: (await crypto.keys.makeKeyPair()).keyPem })],
    ['key', 'a certificate for a key that nobody has', () => changed({ isForOtherKey: true })],
    ['fingerprint', 'not the one announced', async () => ({ fingerprint: '0'.repeat(64) })],
    ['names', 'one name too few', async () => ({ names: [...NAMES, 'c.devices.test'] })],
    ['names', 'one name too many', async () => ({ names: NAMES.slice(1) })],
    ['names', 'another name', async () => ({ names: ['b.devices.test', 'c.devices.test'] })],
    ['names', 'none at all', async () => ({ ...(await changed({ names: [] })), names: [] })],
    ['dates', 'over', () => changed({ notBeforeMs: NOW_MS - 9, notAfterMs: NOW_MS - 1 })],
    ['dates', 'far in the future', () => changed({ notBeforeMs: NOW_MS + DAY_MS })],
  ])('%s: %s', async (check, _, wrong) => {
    const given = candidate(await wrong());
    expect(() => crypto.reader.verify(given, time)).toThrow(
      expect.objectContaining({ code: 'certificate-refused', details: { check } }),
    );
  });

  test('a certificate of the next minutes is good, and an implausible clock has no say about the beginning', async () => {
    const soon = candidate(await changed({ notBeforeMs: NOW_MS + 4 * 60_000 }));
    expect(crypto.reader.verify(soon, time)).toMatchObject({ keyHash });
    expect(crypto.reader.verify(candidate(), { nowMs: 0, isPlausible: false })).toMatchObject({ keyHash });
  });
});

async function changed(change: Partial<CertificateContent>): Promise<object> {
  const chain = await chainOf(change);
  return { chainPem: chain, fingerprint: readStubChain(chain).fingerprint };
}
