import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrivateCa } from '../pki/private-ca.ts';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();
const HASH = 'ab'.repeat(32);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lanyard-keys-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('lanyard keys refuse', () => {
  test.each([
    [true, `${HASH} is refused from now on\n`],
    [false, `${HASH} was refused already\n`],
  ])('takes a hash; new: %j', async (isNew, said) => {
    const heard = await terminal.pretendBroker(() => [isNew ? 201 : 200, { isNew }]);
    expect(await terminal.run(['keys', 'refuse', HASH])).toMatchObject({ code: 0, out: said });
    expect(heard).toMatchObject([{ method: 'POST', url: '/v1/refused-keys', body: JSON.stringify({ keyHash: HASH }) }]);
  });

  test('takes a public key, a private key and a certificate, and sends the hash alone', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ca = createPrivateCa('Test CA', { clock: new VirtualClock(), random: seededRandom(1) });
    const files = {
      'public.pem': publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      'private.pem': privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      'ca.crt': ca.certificatePem,
      'ca.key': ca.keyPem,
    };
    const heard = await terminal.pretendBroker(() => [201, { isNew: true }]);
    for (const [name, pem] of Object.entries(files)) {
      await writeFile(join(folder, name), pem);
      expect((await terminal.run(['keys', 'refuse', join(folder, name)])).code).toBe(0);
    }
    const hash = createHash('sha256')
      .update(publicKey.export({ format: 'der', type: 'spki' }))
      .digest('hex');
    const [first, second, third, fourth] = heard.map(({ body }) => body);
    expect([first, second]).toEqual([JSON.stringify({ keyHash: hash }), JSON.stringify({ keyHash: hash })]);
    expect(third).toBe(fourth);
  });

  test.each(['AB'.repeat(32), 'missing.pem', HASH.slice(1)])('%s is refused, and nobody is asked', async (key) => {
    const heard = await terminal.pretendBroker(() => [200, {}]);
    const { code, err } = await terminal.run(['keys', 'refuse', key]);
    expect(code).toBe(1);
    expect(err).toContain('is no key hash');
    expect(heard).toEqual([]);
  });
});

describe('lanyard keys list', () => {
  test('shows every key, page by page', async () => {
    const pages = [Array.from({ length: 1000 }, (_, n) => keyOf(n)), [keyOf(1000)]];
    const heard = await terminal.pretendBroker(() => [200, { keys: pages.shift() ?? [] }]);
    const { out } = await terminal.run(['keys', 'list']);
    expect(out.split('\n')).toHaveLength(1002);
    expect(out).toContain(`${keyOf(1000).keyHash} 2026-11-24 operator\n`);
    expect(heard.map(({ url }) => url)).toEqual([
      '/v1/refused-keys?limit=1000',
      `/v1/refused-keys?limit=1000&after=${keyOf(999).keyHash}`,
    ]);
  });
});

function keyOf(n: number) {
  return { keyHash: `${n}`.padStart(64, '0'), reason: 'operator', since: '2026-11-24' };
}
