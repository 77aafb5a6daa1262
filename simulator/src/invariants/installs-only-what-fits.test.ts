import { expect, test } from 'vitest';
import type { CertificateReader, Credential } from '@lanyard/sdk';
import type { IssuedCertificate } from '@lanyard/sdk/protocol';
import { readStubChain } from '../gears/virtual/stub-crypto.ts';
import { START_MS } from '../gears/virtual/virtual-world.ts';
import { objectors, watchedRun } from './test-run.ts';

/** Believes whatever it is given. */
function gullible(reader: CertificateReader): CertificateReader {
  return {
    ...reader,
    verify: ({ keyPem, chainPem }): Credential => ({ ...readStubChain(chainPem), keyPem, chainPem }),
  };
}

test('an appliance that believes what it is told installs its neighbour’s certificate', async () => {
  let first: IssuedCertificate | undefined;
  const outcome = await watchedRun({
    for: '1d',
    appliances: 3,
    crypto: (sound) => ({ ...sound, ...(sound.reader && { reader: gullible(sound.reader) }) }),
    between: (ports) => ({
      ...ports,
      send: (deviceId, message) => {
        if (message.kind !== 'certificate' || message.certificate.kind !== 'issued')
          return ports.send(deviceId, message);
        first ??= message.certificate;
        const { chain, fingerprint } = first;
        return ports.send(deviceId, { ...message, certificate: { ...message.certificate, chain, fingerprint } });
      },
    }),
  });
  expect(objectors(outcome)).toEqual(['installs-only-what-fits']);
  expect(outcome.total).toBeGreaterThanOrEqual(2);
  expect(outcome.shown[0]?.detail).toMatch(/^\w+\.devices\.lanyard\.test installed a certificate for \w+\.devices/);
});

test('a certificate for another key', async () => {
  const outcome = await watchedRun({
    for: '1d',
    appliances: 3,
    crypto: (sound) => ({
      ...sound,
      ...(sound.reader && { reader: gullible(sound.reader) }),
      // A CA with a slip, and a broker that does not look either.
      ...(sound.maker && {
        maker: {
          readRequest: (der) => {
            const draft = sound.maker?.readRequest(der);
            if (draft === undefined) throw new Error('no maker');
            return { ...draft, keyFingerprint: 'ee'.repeat(32) };
          },
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['installs-only-what-fits', 'only-bound-names']);
  expect(outcome.shown.map(({ detail }) => detail)).toContain(
    'installed a certificate for a key that is not the last it asked for',
  );
});

test('a certificate that has ended', async () => {
  const outcome = await watchedRun({
    for: '1d',
    appliances: 3,
    meddle: (world) => world.authority.model.controls.setFaults({ certificate: 'expired' }),
    crypto: (sound) => ({
      ...sound,
      ...(sound.reader && { reader: gullible(sound.reader) }),
      readChain: (chain) => ({
        ...readStubChain(chain),
        notBeforeMs: START_MS,
        notAfterMs: START_MS + 90 * 86_400_000,
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['installs-only-what-fits']);
  expect(outcome.shown[0]?.detail).toMatch(/^installed a certificate that ended on 2026-/);
});
