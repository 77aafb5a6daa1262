/** Other people's ACME clients prove names of other zones through our acme-dns API: lego by its own client, certbot by curl. */
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Terminal } from '../../broker/src/cli/test-terminal.ts';
import { freePort } from '../../simulator/src/world/free-port.ts';
import { AliasedDns } from '../support/aliased-dns.ts';
import { dig } from '../support/dig.ts';
import { InProcessBroker } from '../support/in-process-broker.ts';
import { opensslVerify } from '../support/openssl.ts';
import { startPebble } from '../support/pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { arePeersMissing, peer } from '../support/peers.ts';
import { runToEnd, succeeded } from '../support/run-to-end.ts';
import type { Ended } from '../support/run-to-end.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const ZONE = 'devices.lanyard.test';
/** Not ours: only its CNAME leads to us. */
const OTHER_ZONE = 'elsewhere.test';
const LOOPBACK = '127.0.0.1';
const GUIDE = new URL('../../docs/guides/certify-other-machines.md', import.meta.url);

const account = z.object({
  username: z.string(),
  password: z.string(),
  fulldomain: z.string(),
  subdomain: z.string(),
});
type Account = z.infer<typeof account>;

describe.skipIf(arePeersMissing('pebble', 'openssl', 'dig'))('through the acme-dns API', () => {
  const undo = undoAfterAll();
  const dnsServer = { host: LOOPBACK, port: 0 };
  let directory: string;
  let resolver: AliasedDns;
  let pebble: Pebble;
  let broker: InProcessBroker;
  let roots: string;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    dnsServer.port = await freePort();
    resolver = new AliasedDns(dnsServer);
    const resolving = await resolver.start();
    undo(() => resolver.stop());
    pebble = await startPebble(resolving, { environment: { PEBBLE_AUTHZREUSE: '0' } });
    undo(() => pebble.stop());
    roots = join(directory, 'roots.pem');
    await writeFile(roots, pebble.tlsRootPem);
    const ports = { dnsPort: dnsServer.port, mqttPort: await freePort() };
    const acmeDns = { register: 'open' as const, allowFrom: [LOOPBACK], port: 0 };
    broker = await InProcessBroker.make({ directory, ca: pebble, zone: ZONE, ...ports, acmeDns });
    await broker.start();
    undo(() => broker.stop());
  });

  function lego(name: string, storage: string): Promise<Ended> {
    const env = { LEGO_CA_CERTIFICATES: roots, ACME_DNS_API_BASE: broker.acmeDnsUrl, ACME_DNS_STORAGE_PATH: storage };
    return runToEnd(peer('lego-acme-dns'), [pebble.directoryUrl, chainOf(name), name, `*.${name}`], { env });
  }

  /** The command's own output, which is what clients store. */
  async function registered(name: string): Promise<{ readonly stored: string; readonly account: Account }> {
    const settings = {
      data: join(directory, 'data'),
      zone: { apex: ZONE, nameServers: [{ name: `ns1.${ZONE}` }] },
      mqtt: { names: [LOOPBACK] },
      acme: { directory: pebble.directoryUrl },
      admin: { port: broker.adminPort },
    };
    const config = join(directory, 'lanyard.yaml');
    // JSON is YAML.
    await writeFile(config, JSON.stringify(settings));
    const { out: stored, err } = await new Terminal().run(['--config', config, 'acme-dns', 'register', name]);
    const made = accountOf(stored, name);
    expect(err).toContain(`_acme-challenge.${name}. CNAME ${made.fulldomain}.`);
    return { stored, account: made };
  }

  function point(name: string, { fulldomain }: Account): void {
    resolver.aliases.set(`_acme-challenge.${name}`, fulldomain);
  }

  async function namesIn(path: string, name: string): Promise<readonly string[] | undefined> {
    const chain = await readFile(path, 'utf8');
    const verified = await opensslVerify({ chain, root: pebble.rootPem, name, directory });
    succeeded(verified);
    return new X509Certificate(chain).subjectAltName?.split(', ').toSorted();
  }

  async function texts({ fulldomain }: Account): Promise<readonly string[]> {
    const { answer } = await dig('dig', dnsServer, fulldomain, 'TXT');
    return answer.toSorted();
  }

  const chainOf = (name: string): string => join(directory, `${name}.pem`);

  test.skipIf(arePeersMissing('lego-acme-dns'))(
    'lego registers, asks for the CNAME, and certifies name and wildcard',
    async () => {
      const name = `registers.${OTHER_ZONE}`;
      const storage = join(directory, 'registers.json');
      const first = await lego(name, storage);
      expect(first.code).not.toBe(0);
      const made = accountOf(await readFile(storage, 'utf8'), name);
      expect(made.fulldomain).toBe(`${made.subdomain}.acme-dns.${ZONE}`);
      expect(first.report).toContain(made.fulldomain);
      point(name, made);
      succeeded(await lego(name, storage));
      expect(await namesIn(chainOf(name), name)).toEqual([`DNS:*.${name}`, `DNS:${name}`]);
    },
  );

  test.skipIf(arePeersMissing('lego-acme-dns'))('lego takes what `lanyard acme-dns register` prints', async () => {
    const name = `given.${OTHER_ZONE}`;
    const given = await registered(name);
    const storage = join(directory, 'given.json');
    await writeFile(storage, given.stored);
    point(name, given.account);
    succeeded(await lego(name, storage));
    expect(await namesIn(chainOf(name), name)).toEqual([`DNS:*.${name}`, `DNS:${name}`]);
    // What a machine published is no stray of ours: it is there after a restart, until the account goes.
    const before = await texts(given.account);
    expect(before).toHaveLength(2);
    await broker.stop();
    await broker.start();
    expect(await texts(given.account)).toEqual(before);
    await broker.admin.post(`/v1/acme-dns-accounts/${given.account.subdomain}/remove`);
    expect(await texts(given.account)).toEqual([]);
  });

  test.skipIf(arePeersMissing('certbot', 'curl'))('certbot does with the guide’s hook', async () => {
    const name = `hook.${OTHER_ZONE}`;
    const given = await registered(name);
    point(name, given.account);
    const places = ['config', 'work', 'logs'].flatMap((kind) => [`--${kind}-dir`, join(directory, 'certbot', kind)]);
    const quietly = 'certonly --non-interactive --agree-tos --register-unsafely-without-email'.split(' ');
    const what = ['--server', pebble.directoryUrl, '-d', name, '-d', `*.${name}`];
    const how = ['--manual', '--preferred-challenges', 'dns', '--manual-auth-hook', await hookFor(given.account)];
    const env = { REQUESTS_CA_BUNDLE: roots, no_proxy: LOOPBACK };
    succeeded(await runToEnd(peer('certbot'), [...quietly, ...what, ...how, ...places], { env }));
    const path = join(directory, 'certbot', 'config', 'live', name, 'fullchain.pem');
    expect(await namesIn(path, name)).toEqual([`DNS:*.${name}`, `DNS:${name}`]);
  });

  async function hookFor({ username, password, subdomain }: Account): Promise<string> {
    const [, hook = ''] = /--manual-auth-hook '\n(.*?)'$/ms.exec(await readFile(GUIDE, 'utf8')) ?? [];
    return hook
      .replace('https://proofs.example.com', broker.acmeDnsUrl)
      .replace('USERNAME', username)
      .replace('PASSWORD', password)
      .replace('SUBDOMAIN', subdomain);
  }
});

function accountOf(stored: string, name: string): Account {
  const found = z.record(z.string(), account).parse(JSON.parse(stored))[name];
  if (found === undefined) throw new Error(`nothing is stored of ${name}: ${stored}`);
  return found;
}
