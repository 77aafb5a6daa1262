/** Every option that is wrong is named. */
import { anything, assert, dictionary, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { LanyardError } from './kernel/errors.ts';
import { issue } from './link/test-authority.ts';
import { checkOptions } from './options.ts';
import { memoryVault } from './testing/memory-vault.ts';

const GOOD = { broker: 'mqtts://broker.example:8883', identity: '/data/identity', vault: '/data/lanyard' };
const [ONE, OTHER] = await Promise.all([
  issue({ commonName: 'device-1', isAuthority: true }),
  issue({ commonName: 'x' }),
]);
const { certificatePem, keyPem } = ONE;
const IDENTITY = { deviceId: 'device-1', certificatePem, keyPem, brokerRootPem: certificatePem };
const GARBAGE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const LINK = { start() {}, stop() {}, onEvent() {}, send() {}, setReconnectSpread() {} };

test.each([
  ['folders', GOOD],
  ['objects', { ...GOOD, identity: IDENTITY, vault: memoryVault() }],
  ['several brokers', { ...GOOD, broker: ['mqtts://a.example', 'mqtts://b.example:443'] }],
  ['roots', { ...GOOD, trustedRoots: [certificatePem, OTHER.certificatePem] }],
  ['a link', { link: LINK, vault: '/data/lanyard' }],
  ['an option that is undefined', { ...GOOD, model: undefined }],
])('%s are fine', (_, options) => {
  expect(() => checkOptions(options)).not.toThrow();
});

test.each([
  ['broker', { broker: 'broker.example' }],
  ['broker', { broker: 'mqtt://broker.example' }],
  ['broker', { broker: [] }],
  ['broker', { broker: Array.from({ length: 9 }, () => GOOD.broker) }],
  ['broker', { broker: undefined }],
  ['identity', { identity: '' }],
  ['identity', { identity: { deviceId: 'device-1' } }],
  ['identity', { identity: undefined }],
  ['identity', { identity: { ...IDENTITY, deviceId: 'Serial 1' } }],
  ['identity', { identity: { ...IDENTITY, keyPem: OTHER.keyPem } }],
  ['identity', { identity: { ...IDENTITY, keyPem: 'k' } }],
  ['identity', { identity: { ...IDENTITY, certificatePem: 'c' } }],
  ['identity', { identity: { ...IDENTITY, brokerRootPem: GARBAGE } }],
  ['broker', { link: LINK }],
  ['vault', { vault: undefined }],
  ['vault', { vault: { read() {} } }],
  ['vault', { vault: '/data\0/etc' }],
  ['trustedRoots', { trustedRoots: 'not a PEM' }],
  ['trustedRoots', { trustedRoots: [] }],
  ['trustedRoots', { trustedRoots: GARBAGE }],
  ['addresses', { addresses: ['10.1.1.4'] }],
  ['logger', { logger: console.log }],
  ['model', { model: 'm'.repeat(65) }],
  ['firmwareVersion', { firmwareVersion: 7 }],
  ['clock', { clock: Date }],
  ['random', { random: Math.random }],
  ['link', { link: {} }],
  ['keys', { keys: {} }],
  ['brokr', { brokr: 'mqtts://broker.example' }],
])('option %s is named when it is wrong', (option, change) => {
  expect(refusalOf({ ...GOOD, ...change })).toMatchObject({
    code: 'option-invalid',
    message: expect.stringContaining(`option ${option} `),
    details: { option },
  });
});

test('no options whatever make it fail in another way', () => {
  assert(
    property(dictionary(string(), anything()), anything(), (fields, rest) => {
      for (const options of [fields, rest, { ...GOOD, ...fields }]) refusalOf(options);
    }),
  );
});

function refusalOf(options: unknown): LanyardError | undefined {
  try {
    checkOptions(options);
    return undefined;
  } catch (error) {
    if (LanyardError.is(error, 'option-invalid')) return error;
    throw error;
  }
}
