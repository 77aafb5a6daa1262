import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@lanyard/sdk/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseConfig } from './config.ts';
import { readCookieSecrets } from './dns-cookie-secrets.ts';

const FIRST = 'e5e973e5a6b2a43f48e7dc849e37bfcf';
const SECOND = '445536bcd2513298075a5d379663c962';

let data: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lanyard-cookie-'));
});

afterEach(() => rm(data, { recursive: true, force: true }));

async function read(cookieSecretFile?: string): Promise<readonly string[]> {
  const { dns } = parseConfig({
    zone: { apex: 'devices.example.com', nameServers: [{ name: 'ns1.devices.example.com' }] },
    mqtt: { names: ['localhost'] },
    acme: { directory: 'https://ca.example.com/directory' },
    dns: cookieSecretFile === undefined ? {} : { cookieSecretFile },
  });
  const secrets = await readCookieSecrets({ data, dns }, systemRandom);
  return secrets.map((secret) => Buffer.from(secret).toString('hex'));
}

describe('a secret of the broker’s own', () => {
  test('is made at the first start, for its owner only, and stays', async () => {
    const [secret = ''] = await read();
    expect(secret).toMatch(/^[0-9a-f]{32}$/);
    const path = join(data, 'dns-cookie.secrets');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toBe(`${secret}\n`);
    expect(await read()).toEqual([secret]);
  });

  test('differs from broker to broker', async () => {
    const [first] = await read();
    await rm(join(data, 'dns-cookie.secrets'));
    expect(await read()).not.toEqual([first]);
  });
});

async function shared(text: string): Promise<string> {
  const path = join(data, 'shared');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

describe('secrets that name servers share', () => {
  test.each([
    [`${FIRST}\n`, [FIRST]],
    [`${FIRST}\r\n${SECOND.toUpperCase()}\r\n\n`, [FIRST, SECOND]],
  ])('%j', async (text, secrets) => {
    expect(await read(await shared(text))).toEqual(secrets);
  });

  test.each(['', 'hunter2', FIRST.slice(1), `${FIRST}\n# old\n`, `${FIRST}\n${SECOND}\n${FIRST}`])(
    '%j is refused',
    async (text) => {
      await expect(read(await shared(text))).rejects.toMatchObject({ code: 'config-invalid' });
    },
  );

  test('a file that is not there is not made, and one that others can read is refused', async () => {
    await expect(read(join(data, 'shared'))).rejects.toMatchObject({ code: 'config-unreadable' });
    const path = await shared(FIRST);
    await chmod(path, 0o644);
    await expect(read(path)).rejects.toMatchObject({ code: 'config-unreadable' });
  });
});
