/** acme-client as it comes from npm, in the flow of its own documentation, with the same DNS behind it. */
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import acme from 'acme-client';
import type { Client } from 'acme-client';
import { MemoryZoneJournal } from '../../broker/src/dns/memory-zone-journal.ts';
import type { OwnZones } from '../../broker/src/dns/own-zones.ts';
import type { Contender } from './contender.ts';
import { startDnsBoard } from './dns-board.ts';
import { ownCpuMs } from './own-cpu.ts';
import { makeRequests } from './signing-requests.ts';
import type { Request } from './signing-requests.ts';

/** Its default first pause of 5 s would make it wait instead of work; with this one it is as quick as it can be. */
const POLL_MS = 50;

export async function acmeClientContender(): Promise<Contender> {
  const board = await startDnsBoard(new MemoryZoneJournal());
  let race: Contender['race'] | undefined;
  return {
    nameServer: board.address,
    async prepare({ directoryUrl, rootsPath, count, concurrency }) {
      acme.axios.defaults.httpsAgent = new Agent({ ca: await readFile(rootsPath) });
      const polls = { backoffMin: POLL_MS, backoffMax: POLL_MS, backoffAttempts: 1000 };
      const client = new acme.Client({ directoryUrl, accountKey: await acme.crypto.createPrivateEcdsaKey(), ...polls });
      await client.createAccount({ termsOfServiceAgreed: true });
      const requests = await makeRequests(count, 'stock');
      race = async (onCertificate) => {
        const queue = requests.values();
        const work = async (): Promise<void> => {
          for (const request of queue) {
            await certify(client, board.zones, request);
            onCertificate();
          }
        };
        await Promise.all(Array.from({ length: concurrency }, work));
      };
    },
    race: async (onCertificate) => await race?.(onCertificate),
    cpuMs: ownCpuMs,
    stop: () => board.stop(),
  };
}

async function certify(client: Client, board: OwnZones, { name, der }: Request): Promise<void> {
  const order = await client.createOrder({ identifiers: [{ type: 'dns', value: name }] });
  for (const authorization of await client.getAuthorizations(order)) {
    const challenge = authorization.challenges.find(({ type }) => type === 'dns-01');
    if (challenge === undefined) throw new Error('no dns-01 challenge');
    const value = await client.getChallengeKeyAuthorization(challenge);
    const record = { kind: 'txt', name: `_acme-challenge.${authorization.identifier.value}`, value } as const;
    await board.put(record);
    await client.completeChallenge(challenge);
    await client.waitForValidStatus(challenge);
    await board.clear(record);
  }
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const chain = await client.getCertificate(await client.finalizeOrder(order, pem));
  if (!chain.includes('BEGIN CERTIFICATE')) throw new Error('no certificate');
}
