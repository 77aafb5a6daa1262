/** An account moves from certbot to Lanyard and back with its standing: one account at the CA all the while. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { startModelAuthority } from '@lanyard/simulator';
import type { RunningModelAuthority } from '@lanyard/simulator';
import { stringify } from 'yaml';
import { withAccountDesk } from '../../broker/src/accounts.ts';
import { AcmeAuthority } from '../../broker/src/acme/acme-authority.ts';
import { FileAccountStore } from '../../broker/src/acme/file-account-store.ts';
import { AcmeTransport } from '../../broker/src/acme/transport.ts';
import { runCommand } from '../../broker/src/cli/command.ts';
import { dataDirectory } from '../../broker/src/data-directory.ts';
import { arePeersMissing, peer } from '../support/peers.ts';
import { runToEnd, succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

describe.skipIf(arePeersMissing('certbot'))('certbot’s account', () => {
  const undo = undoAfterAll();
  let directory: string;
  let authority: RunningModelAuthority;
  let roots: string;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    const resolver = { txt: async () => [], caa: async () => [] };
    const world = { clock: systemClock, random: systemRandom, log: silentLogger, resolver };
    // Certbot gives up when a nonce is refused while it registers.
    authority = await startModelAuthority({ ...world, policy: { nonceRejectPercent: 0 } });
    undo(() => authority.stop());
    roots = join(directory, 'roots.pem');
    await writeFile(roots, authority.tlsRootPem);
    const settings = {
      zone: { apex: 'devices.lanyard.test', nameServers: [{ name: 'ns1.lanyard.test' }] },
      mqtt: { names: ['localhost'] },
      acme: { directory: authority.directoryUrl, roots },
      // Where no broker can be.
      admin: { port: 1 },
    };
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'lanyard.yaml'), stringify(settings));
  });

  test('orders at Lanyard, with a new key, too, and then again at certbot', async () => {
    await certbot('certbot', 'register', '--agree-tos', '--email', 'ops@lanyard.test', '--no-eff-email');
    const url = await orderWithImported(await accountIn('certbot'));
    await lanyard('account', 'rollover');
    expect(await order()).toBe(url);
    expect(JSON.parse(await lanyard('account', 'show', '--json'))).toMatchObject({
      account: url,
      status: 'valid',
      contact: ['mailto:ops@lanyard.test'],
      key: { kind: 'EC P-256' },
    });
    await lanyard('account', 'export', join(directory, 'back'), '--format', 'certbot');
    // An update is signed with the key and the URL that it found, and thus both were read.
    await certbot('back', 'update_account', '--email', 'new@lanyard.test', '--no-eff-email');
    expect(JSON.parse(await lanyard('account', 'show', '--json'))).toMatchObject({
      contact: ['mailto:new@lanyard.test'],
    });
    expect(authority.statistics().accounts).toBe(1);
  });

  async function orderWithImported(account: string): Promise<string | undefined> {
    expect(await lanyard('account', 'import', account)).toContain('the CA knows the key');
    return await order();
  }

  async function certbot(config: string, ...args: readonly string[]): Promise<void> {
    const places = ['work', 'logs'].flatMap((kind) => [`--${kind}-dir`, join(directory, kind)]);
    const where = ['--non-interactive', '--server', authority.directoryUrl, '--config-dir', join(directory, config)];
    const ended = await runToEnd(peer('certbot'), [...args, ...where, ...places], {
      env: { REQUESTS_CA_BUNDLE: roots },
    });
    succeeded(ended);
  }

  async function accountIn(config: string): Promise<string> {
    const { host, pathname } = new URL(authority.directoryUrl);
    const accounts = join(directory, config, 'accounts', host, pathname);
    const [name = ''] = await readdir(accounts);
    return join(accounts, name);
  }

  async function lanyard(...args: readonly string[]): Promise<string> {
    let out = '';
    let err = '';
    const code = await runCommand(['--config', join(directory, 'lanyard.yaml'), ...args], {
      version: '0',
      clock: systemClock,
      random: systemRandom,
      print: (text) => (out += text),
      printError: (text) => (err += text),
      input: async function* () {},
      serve: async () => {},
      createPrivateCa: async () => ({ certificatePem: '', keyPem: '' }),
      withAccountDesk: (which, use) => withAccountDesk({ ...which, clock: systemClock }, use),
      examine: async () => [],
    });
    expect([code, err]).toEqual([0, '']);
    return out;
  }

  /** As the broker does. */
  async function order(): Promise<string | undefined> {
    const { directoryUrl, tlsRootPem } = authority;
    const transport = new AcmeTransport({ clock: systemClock, extraRootsPem: tlsRootPem });
    const account = new FileAccountStore({ path: dataDirectory(join(directory, 'data')).acmeAccount(directoryUrl) });
    const broker = new AcmeAuthority({ directoryUrl, account, transport, clock: systemClock, log: silentLogger });
    await transport.start();
    try {
      await broker.start();
      const made = await broker.newOrder({ names: ['a1b2c3.devices.lanyard.test'] }, new AbortController().signal);
      expect(made.status).toBe('pending');
      return broker.accountUrl;
    } finally {
      await broker.stop();
      await transport.stop();
    }
  }
});
