/** What a certificate must satisfy before it is installed. */
import { array, assert, constantFrom, property } from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { LanyardError } from '../kernel/errors.ts';
import { CLIENT_AUTH, issue, SERVER_AUTH } from '../link/test-authority.ts';
import type { Issued, Wish } from '../link/test-authority.ts';
import { readCredential } from './credential.ts';
import type { CertificateCheck } from './credential.ts';
import { TrustedRoots } from './trusted-roots.ts';
import { verifyCertificate } from './verification.ts';
import type { Candidate, VerificationTime } from './verification.ts';

const NAMES = ['box.devices.example', '*.box.devices.example'];
const DAY_MS = 24 * 60 * 60_000;
const NOW: VerificationTime = { nowMs: Date.UTC(2026, 10, 22), isPlausible: true };

let root: Issued;
let intermediate: Issued;
let roots: TrustedRoots;

beforeAll(async () => {
  root = await issue({ commonName: 'Test Root', isAuthority: true });
  intermediate = await issue({ commonName: 'Test Intermediate', isAuthority: true }, root);
  roots = new TrustedRoots([root.certificatePem]);
});

test('a certificate that fits in every respect is taken, with what it says about itself', async () => {
  const credential = verifyCertificate(await candidate(), roots, NOW);
  expect(credential.names).toEqual(NAMES);
  expect(credential.notAfterMs).toBe(NOW.nowMs + 90 * DAY_MS);
});

test('a root that is sent along does no harm, nor does what follows it', async () => {
  const good = await candidate();
  const stranger = await issue({ commonName: 'Expired Cross', isAuthority: true, notAfterMs: NOW.nowMs - 1000 });
  const chainPem = good.chainPem + root.certificatePem + stranger.certificatePem;
  expect(verifyCertificate({ ...good, chainPem }, roots, NOW).names).toEqual(NAMES);
});

describe('refused, saying which check failed', () => {
  test('another key', async () => {
    const other = await issue({ commonName: 'other' });
    expect(refusalOf({ ...(await candidate()), keyPem: other.keyPem })).toMatchObject(seen('key', /another key/));
  });

  test('something that is no key, without quoting it', async () => {
    const error = refusalOf({ ...(await candidate()), keyPem: 'hunter2' });
    expect(error).toMatchObject(seen('key', /cannot be read/));
    expect(JSON.stringify([error.message, String(error.cause)])).not.toContain('hunter2');
  });

  test('another certificate than the broker announced', async () => {
    expect(refusalOf({ ...(await candidate()), fingerprint: 'ab'.repeat(32) })).toMatchObject(
      seen('fingerprint', /announced abab/),
    );
  });

  test.each([
    ['a missing name', ['box.devices.example']],
    ['a name too many', [...NAMES, 'evil.example']],
    ['another name', ['other.devices.example', '*.box.devices.example']],
    ['no names at all', []],
  ])('%s', async (_, hosts) => {
    expect(refusalOf(await candidate({ hosts }))).toMatchObject(seen('names', /must be exactly box\.devices\.example/));
  });

  test('an address beside the names', async () => {
    expect(refusalOf(await candidate({ hosts: NAMES, addresses: ['10.1.1.4'] }))).toMatchObject(
      seen('names', /IP Address:10\.1\.1\.4/),
    );
  });

  test('no names wanted: nothing would be wrong with any certificate', async () => {
    expect(refusalOf({ ...(await candidate({ hosts: [] })), names: [] })).toMatchObject(
      seen('names', /must be exactly/),
    );
  });

  test('expired', async () => {
    expect(refusalOf(await candidate({ notAfterMs: NOW.nowMs - 1000 }))).toMatchObject(seen('dates', /has expired/));
  });

  test('not valid yet', async () => {
    expect(refusalOf(await candidate({ notBeforeMs: NOW.nowMs + DAY_MS }))).toMatchObject(
      seen('dates', /is not valid yet/),
    );
  });

  test('an intermediate that has expired', async () => {
    const old = await issue({ commonName: 'Old', isAuthority: true, notAfterMs: NOW.nowMs - DAY_MS }, root);
    expect(refusalOf(await candidate({}, old))).toMatchObject(seen('dates', /"CN=Old" has expired/));
  });

  test('a chain to a root that is not trusted', async () => {
    const stranger = await issue({ commonName: 'Stranger', isAuthority: true });
    expect(refusalOf(await candidate({}, stranger))).toMatchObject(seen('trust', /no trusted root/));
  });

  test('a root of the same name with another key', async () => {
    const twin = await issue({ commonName: 'Test Root', isAuthority: true });
    expect(refusalOf(await candidate({}, twin))).toMatchObject(seen('trust', /is not signed|no trusted root/));
  });

  test('a missing intermediate', async () => {
    const good = await candidate();
    const [leafPem = ''] = good.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(refusalOf({ ...good, chainPem: leafPem })).toMatchObject(
      seen('trust', /chain ends at "CN=Test Intermediate"/),
    );
  });

  test('an issuer that is no CA', async () => {
    const notCa = await issue({ commonName: 'Ordinary' }, root);
    expect(refusalOf(await candidate({}, notCa))).toMatchObject(
      seen('trust', /is not signed|"CN=Ordinary" is not a CA/),
    );
  });

  test('a forger with the name of a genuine issuer, which is sent along', async () => {
    const forger = await issue({ commonName: 'Test Intermediate', isAuthority: true });
    const forged = await candidate({}, forger);
    const [leafPem = ''] = forged.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    const wrong = { ...forged, chainPem: leafPem + intermediate.certificatePem };
    expect(refusalOf(wrong)).toMatchObject(seen('trust', /is not signed by the next, "CN=Test Intermediate"/));
  });

  test('an issuer of another name, although with the right key', async () => {
    const { keyPem } = intermediate;
    const renamed = await issue({ commonName: 'Renamed', isAuthority: true, keyPem }, root);
    const good = await candidate();
    const [leafPem = ''] = good.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    const wrong = { ...good, chainPem: leafPem + renamed.certificatePem };
    expect(refusalOf(wrong)).toMatchObject(seen('trust', /is not signed by the next, "CN=Renamed"/));
  });

  test('one signed by a trusted certificate that is no CA', async () => {
    const ordinary = await issue({ commonName: 'Ordinary' });
    const wrong = await candidate({}, ordinary);
    const trusting = new TrustedRoots([ordinary.certificatePem]);
    const [leafPem = ''] = wrong.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(() => verifyCertificate({ ...wrong, chainPem: leafPem }, trusting, NOW)).toThrow(/no trusted root/);
  });

  test('a chain that the TLS library would choke on', async () => {
    const good = await candidate();
    const broken = '-----BEGIN CERTIFICATE-----\n@@@@\n-----END CERTIFICATE-----\n';
    expect(refusalOf({ ...good, chainPem: good.chainPem + broken })).toMatchObject(seen('loading', /does not load/));
  });

  test('a certificate for clients only', async () => {
    expect(refusalOf(await candidate({ usages: [CLIENT_AUTH] }))).toMatchObject(seen('purpose', /not for servers/));
  });

  test('the certificate of a CA', async () => {
    expect(refusalOf(await candidate({ isAuthority: true }))).toMatchObject(seen('purpose', /that of a CA/));
  });

  test.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['a PEM of rubbish', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('%s instead of a chain', async (_, chainPem) => {
    expect(refusalOf({ ...(await candidate()), chainPem })).toMatchObject(seen('chain', /certificate/));
  });

  test('a chain of more than eight', async () => {
    const good = await candidate();
    expect(refusalOf({ ...good, chainPem: good.chainPem.repeat(5) })).toMatchObject(
      seen('chain', /has 10 certificates/),
    );
  });
});

describe('clocks lie', () => {
  const inThePast: VerificationTime = { nowMs: Date.UTC(1970, 0, 2), isPlausible: false };

  test('"not valid yet" is tolerated when the clock is known to be behind', async () => {
    expect(verifyCertificate(await candidate(), roots, inThePast).names).toEqual(NAMES);
  });

  test('a certificate that began a moment ago by the CA’s clock is taken', async () => {
    const fresh = await candidate({ notBeforeMs: NOW.nowMs + 60_000 });
    expect(verifyCertificate(fresh, roots, NOW).names).toEqual(NAMES);
  });
});

test('whatever is put together from genuine parts, only the right whole passes', async () => {
  const good = await candidate();
  const blocks = good.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/).filter((block) => block !== '');
  const stranger = await issue({ commonName: 'Test Intermediate', isAuthority: true });
  const parts = [...blocks, root.certificatePem, stranger.certificatePem, stranger.keyPem, good.keyPem];
  const [leaf, issuer] = blocks;
  assert(
    property(array(constantFrom(...parts), { maxLength: 5 }), (picked) => {
      const certificates = picked.filter((part) => part.includes('BEGIN CERTIFICATE'));
      const isRight = certificates[0] === leaf && certificates[1] === issuer;
      let isTaken = true;
      try {
        verifyCertificate({ ...good, chainPem: picked.join('') }, roots, NOW);
      } catch (error) {
        if (!LanyardError.is(error, 'certificate-refused')) throw error;
        isTaken = false;
      }
      return isTaken === isRight;
    }),
  );
});

test('the roots that come with Node are the default', async () => {
  const own = new TrustedRoots();
  const { rootCertificates } = await import('node:tls');
  const { readChain } = await import('./credential.ts');
  expect(own.vouchFor(readChain(rootCertificates[0] ?? '')[0])).toBe(true);
  expect(own.vouchFor(readChain(root.certificatePem)[0])).toBe(false);
});

function refusalOf(wrong: Candidate): LanyardError {
  try {
    verifyCertificate(wrong, roots, NOW);
  } catch (error) {
    if (LanyardError.is(error, 'certificate-refused')) return error;
    throw error;
  }
  throw new Error('it was taken');
}

/** What a refusal must say: the check, and what was seen. */
function seen(check: CertificateCheck, message: RegExp): object {
  return { details: { check }, message: expect.stringMatching(message) };
}

async function candidate(wish: Partial<Wish> = {}, issuer: Issued = intermediate): Promise<Candidate> {
  const defaults = { commonName: 'leaf', hosts: NAMES, usages: [SERVER_AUTH] };
  const dates = { notBeforeMs: NOW.nowMs - DAY_MS, notAfterMs: NOW.nowMs + 90 * DAY_MS };
  const leaf = await issue({ ...defaults, ...dates, ...wish }, issuer);
  return candidateOf({ ...leaf, certificatePem: leaf.certificatePem + issuer.certificatePem });
}

function candidateOf({ certificatePem, keyPem }: Issued): Candidate {
  const { fingerprint } = readCredential(keyPem, certificatePem);
  return { keyPem, chainPem: certificatePem, fingerprint, names: NAMES };
}
