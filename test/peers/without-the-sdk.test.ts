/** The guide for appliances without the SDK is run as it stands: OpenSSL, jq and Mosquitto's clients, by the protocol alone. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openVendor } from '@lanyard/simulator';
import type { Vendor } from '@lanyard/simulator';
import { z } from 'zod';
import { lanyard, lanyardCommand } from '../support/lanyard-command.ts';
import { opensslVerify } from '../support/openssl.ts';
import { arePeersMissing, peer } from '../support/peers.ts';
import { runToEnd, succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const GUIDE = new URL('../../docs/guides/without-the-sdk.md', import.meta.url);
const DEVICE_ID = 'made-by-hand';
const LAN_ADDRESS = '192.168.7.8';

const shown = z.object({
  name: z.string(),
  published: z.array(z.string()),
  certificate: z.object({ fingerprint: z.string(), names: z.array(z.string()), installedAt: z.string() }),
});
const issued = z.object({ kind: z.literal('issued'), chain: z.string(), fingerprint: z.string() });

const PEERS = ['bash', 'openssl', 'jq', 'mosquitto_rr', 'mosquitto_pub'];

describe.skipIf(arePeersMissing(...PEERS))('the guide without the SDK', () => {
  const undo = undoAfterAll();
  let directory: string;
  let vendor: Vendor;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    vendor = await openVendor();
    undo(() => vendor.close());
  });

  test('its blocks, run as one script, end with an installed certificate', async () => {
    const box = join(directory, 'box');
    const roots = join(directory, 'browser-roots.pem');
    await writeFile(roots, vendor.authority.rootPem);
    const script = join(directory, 'guide.sh');
    await writeFile(script, blocksOf(await readFile(GUIDE, 'utf8')).join('\n'));
    const env = {
      DEVICE_ID,
      LAN_ADDRESS,
      BROKER_HOST: vendor.door.host,
      BROKER_PORT: String(vendor.door.port),
      LANYARD: lanyardCommand(vendor).join(' '),
      TRUSTED_ROOTS: roots,
      BOX: box,
    };
    const ended = await runToEnd(peer('bash'), [script], { cwd: directory, env });
    succeeded(ended);

    const show = await lanyard(vendor, 'device', 'show', DEVICE_ID);
    const appliance = shown.parse(JSON.parse(show.stdout));
    expect(appliance.published).toEqual([LAN_ADDRESS]);
    expect(appliance.certificate.names).toEqual([appliance.name]);

    const { chain, fingerprint } = issued.parse(JSON.parse(await readFile(join(box, 'issued.json'), 'utf8')));
    expect(fingerprint).toBe(appliance.certificate.fingerprint);
    const { rootPem: root } = vendor.authority;
    const verified = await opensslVerify({ chain, root, name: appliance.name, directory });
    succeeded(verified);
  });
});

/** The blocks marked `bash`, which the guide promises to be one script; fewer than it has now would prove nothing. */
function blocksOf(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^```(?:bash|sh)\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
  expect(blocks.length).toBeGreaterThanOrEqual(5);
  return blocks;
}
