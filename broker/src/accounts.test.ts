/** The commands on the account, from the command line to a CA on loopback: what is wired in accounts.ts. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VirtualClock } from '@lanyard/sdk/testing';
import { crypto } from 'acme-client';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { withAccountDesk } from './accounts.ts';
import { loadAccount } from './acme/account.ts';
import { FileAccountStore } from './acme/file-account-store.ts';
import { HostileCa } from './acme/hostile-ca.ts';
import { useTerminal } from './cli/test-terminal.ts';
import type { Transcript } from './cli/test-terminal.ts';
import { dataDirectory } from './data-directory.ts';

const terminal = useTerminal();
let ca: HostileCa;

beforeEach(async () => {
  ca = new HostileCa();
  await ca.start();
  const settings = {
    zone: { apex: 'devices.example.com', nameServers: [{ name: 'ns1.example.com' }] },
    mqtt: { names: ['broker.example.com'] },
    acme: { directory: ca.directoryUrl },
    admin: { port: 1 },
  };
  await writeFile(terminal.config, stringify(settings));
});
afterEach(() => ca.stop());

function account(...args: readonly string[]): Promise<Transcript> {
  const clock = new VirtualClock();
  return terminal.run(['account', ...args], {
    withAccountDesk: (which, use) => withAccountDesk({ ...which, clock }, use),
  });
}

function accountFile(): string {
  return dataDirectory(join(terminal.directory, 'data')).acmeAccount(ca.directoryUrl);
}

/** The secret parts of every key that lies anywhere below the terminal's directory. */
async function secrets(): Promise<readonly string[]> {
  const texts = Object.values(await terminal.everyFile());
  const pem = texts.flatMap((text) => [...text.matchAll(/BEGIN PRIVATE KEY-----(?:\\n|\n)([A-Za-z0-9+/]+)/g)]);
  return pem.flatMap(([, line = '']) => [line]);
}

test('an account goes out, comes back, changes its key and ends; its key is never said', async () => {
  expect(await account('show')).toMatchObject({ code: 1, err: expect.stringContaining('[account-unusable]') });
  const store = new FileAccountStore({ path: accountFile() });
  const { keyPem } = await loadAccount(store, ca.directoryUrl);
  // As a broker leaves it that was started once.
  const url = ca.url('/account/0');
  await store.write({ directoryUrl: ca.directoryUrl, keyPem, url });
  ca.accounts.set(url, JSON.stringify(publicJwk(keyPem)));

  const transcripts: Transcript[] = [];
  const done = async (...args: readonly string[]): Promise<string> => {
    const transcript = await account(...args);
    expect(transcript).toMatchObject({ code: 0, err: '' });
    transcripts.push(transcript);
    return transcript.out;
  };
  expect(await done('show')).toContain(`account   ${url}\n`);
  const out = await done('export', join(terminal.directory, 'out'));
  const directory = /^made (.*)\n/.exec(out)?.[1] ?? '';
  await writeFile(accountFile(), '');
  expect(await account('import', directory)).toMatchObject({ code: 1 });
  await writeFile(accountFile(), JSON.stringify({ directoryUrl: ca.directoryUrl, keyPem: await otherKey() }));
  expect(await account('import', directory)).toMatchObject({ code: 1, err: expect.stringContaining('--force') });
  expect(await done('import', directory, '--force')).toContain(`imported ${url}`);
  expect(JSON.parse(await readFile(accountFile(), 'utf8'))).toMatchObject({ keyPem, url });
  const before = await secrets();
  await done('rollover');
  expect(await done('show', '--json')).toContain('"status": "valid"');
  const after = await secrets();
  await done('deactivate', '--yes-i-mean-it');
  expect([...ca.closed]).toEqual([url]);

  const said = transcripts.map((transcript) => transcript.out).join('');
  expect(before.length).toBeGreaterThan(1);
  for (const secret of [...before, ...after]) expect(said).not.toContain(secret);
});

test('settings that cannot be read are said before anything else', async () => {
  await writeFile(terminal.config, 'zone: {}');
  expect(await account('show')).toMatchObject({ code: 1, err: expect.stringContaining('[config-invalid]') });
});

function publicJwk(keyPem: string): unknown {
  return crypto.getJwk(keyPem);
}

async function otherKey(): Promise<string> {
  return (await crypto.createPrivateEcdsaKey()).toString();
}

test('of several CAs one is chosen by a part of its directory', async () => {
  const spare = new HostileCa();
  await spare.start();
  onTestFinished(() => spare.stop());
  const acme = { directory: ca.directoryUrl, failover: [{ directory: spare.directoryUrl }] };
  const settings = parse(await readFile(terminal.config, 'utf8'));
  await writeFile(terminal.config, stringify({ ...settings, acme }));
  const path = dataDirectory(join(terminal.directory, 'data')).acmeAccount(spare.directoryUrl);
  await loadAccount(new FileAccountStore({ path }), spare.directoryUrl);

  expect(await account('show', '--offline')).toMatchObject({ code: 1, err: expect.stringContaining(accountFile()) });
  const shown = await account('--ca', new URL(spare.directoryUrl).host, 'show', '--offline');
  expect(shown).toMatchObject({ code: 0, out: expect.stringContaining(spare.directoryUrl) });
  for (const unclear of ['127.0.0.1', 'nowhere']) {
    const refused = await account('--ca', unclear, 'show', '--offline');
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(spare.directoryUrl) });
  }
});
