/** Knot, NSD and BIND follow our zone by the guide's configuration, through lost messages and restarts. */
import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { silentLogger, sleep, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { datagrams, type Ask } from '../../broker/src/dns/datagram.ts';
import { DnsThread } from '../../broker/src/dns/dns-thread.ts';
import { MemoryZoneJournal } from '../../broker/src/dns/memory-zone-journal.ts';
import { OwnZones } from '../../broker/src/dns/own-zones.ts';
import { Secondaries } from '../../broker/src/dns/secondaries.ts';
import { defaultSoa } from '../../broker/src/dns/zone-settings.ts';
import { parseTsigSecret } from '../../broker/src/tsig/tsig-key.ts';
import { dig } from '../support/dig.ts';
import { arePeersMissing } from '../support/peers.ts';
import { freePort, KINDS, SecondaryServer } from '../support/secondary.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const THREAD = new URL('../../broker/src/dns/thread.ts', import.meta.url);
const LOOPBACK = '127.0.0.1';
const APEX = 'devices.example.com';
const KEY_NAME = 'lanyard-ns1';
const SECRET = randomBytes(32).toString('base64');
const KEY = { name: KEY_NAME, algorithm: 'hmac-sha256', secret: parseTsigSecret(SECRET)! } as const;
const CHANGES = 400;
const APPLIANCES = 40;
const NOTIFY = 4;

describe.skipIf(arePeersMissing('knotd', 'nsd', 'named', 'dig'))('secondaries', () => {
  const undo = undoAfterAll();
  const random = seededRandom(5);
  const servers: SecondaryServer[] = [];
  let areNotifiesLost = false;
  let primaryPort = 0;
  let zones: OwnZones;

  beforeAll(async () => {
    const directory = await temporaryDirectory(undo);
    const thread = new DnsThread({
      worker: new Worker(THREAD, { execArgv: ['--conditions=lanyard-source'] }),
      clock: systemClock,
      log: silentLogger,
    });
    undo(() => thread.stop());
    const secondaries = [{ address: LOOPBACK, keyName: KEY_NAME }];
    const policy = { keys: [KEY], secondaries, rememberedChanges: 400 };
    const [listening] = await thread.start([{ host: LOOPBACK, port: 0 }], policy);
    primaryPort = listening!.port;
    for (const kind of KINDS) {
      const server = new SecondaryServer(kind, { directory, secret: SECRET, primaryPort, port: await freePort() });
      servers.push(server);
      undo(() => server.stop());
      await server.start();
    }
    const barrier = new Secondaries({
      secondaries: servers.map(({ port }) => ({ address: LOOPBACK, port, key: KEY })),
      apexes: [APEX],
      ask: losing(datagrams(systemClock)),
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
    });
    zones = new OwnZones({
      journal: new MemoryZoneJournal(),
      thread,
      zones: [
        {
          apex: APEX,
          nameServers: [{ name: 'ns1.example.net', addresses: [] }],
          soa: defaultSoa('ns1.example.net', 'hm.example.net'),
        },
      ],
      barrier,
      clock: systemClock,
      log: silentLogger,
    });
    await zones.start();
    undo(() => zones.stop());
    undo(() => barrier.stop());
  });

  /** Loses every other NOTIFY while told to, as networks do. */
  function losing(ask: Ask): Ask {
    return async (server, question, fits, timeoutMs) => {
      const isNotify = ((question.readUInt8(2) >>> 3) & 0x0f) === NOTIFY;
      if (isNotify && areNotifiesLost && random.uniform() < 0.5) return undefined;
      return await ask(server, question, fits, timeoutMs);
    };
  }

  async function changeAtRandom(): Promise<void> {
    const name = `a${Math.floor(random.uniform() * APPLIANCES)}.${APEX}`;
    const number = Math.floor(random.uniform() * 250);
    const challenge = { kind: 'txt', name: `_acme-challenge.${name}`, value: `text ${number % 3}` } as const;
    const dice = random.uniform();
    if (dice < 0.5) await zones.publish(name, [`10.0.0.${number}`, `fd00::${number}`]);
    else if (dice < 0.6) await zones.publish(name, []);
    else if (dice < 0.8) await zones.clear(challenge);
    // It waits for the secondaries, which may be away just now.
    else void zones.put(challenge).catch(() => {});
  }

  /** Resolves when `port` serves what the primary serves. */
  async function follows({ port, kind, said }: Pick<SecondaryServer, 'port' | 'kind' | 'said'>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const [ours, theirs] = [await serialAt(primaryPort), await serialAt(port)];
      if (ours !== undefined && ours === theirs) return;
      await sleep(systemClock, 100);
    }
    throw new Error(`${kind.program} does not follow:\n${said()}`);
  }

  /** @throws with both zones where one differs. */
  async function allAreEqual(): Promise<boolean> {
    for (const server of servers) {
      await follows({ port: server.port, kind: server.kind, said: () => server.said() });
      const [ours, theirs] = [await wholeZone(primaryPort), await wholeZone(server.port)];
      const { program } = server.kind;
      if (ours.join('\n') !== theirs.join('\n'))
        throw new Error(`${program} has\n${theirs.join('\n')}\nnot\n${ours.join('\n')}`);
    }
    return true;
  }

  test('get the whole zone when they begin', async () => {
    expect(await allAreEqual()).toBe(true);
  });

  test('have a challenge, all of them, when it is said to be up', async () => {
    const name = `_acme-challenge.first.${APEX}`;
    await zones.put({ kind: 'txt', name, value: 'proof' });
    for (const { port, kind } of servers) {
      const { answer } = await dig('dig', { host: LOOPBACK, port }, name, 'TXT');
      expect([kind.program, ...answer]).toEqual([kind.program, expect.stringMatching(/"proof"$/)]);
    }
  });

  test('end with the same zone after hundreds of changes, lost messages and a restart of each', async () => {
    areNotifiesLost = true;
    for (let count = 1; count <= CHANGES; count++) {
      await changeAtRandom();
      // Slower than NOTIFY is sent, so that each fetches changes again and again.
      await sleep(systemClock, 25);
      const restarted = servers[count / 100 - 1];
      if (restarted === undefined) continue;
      await restarted.stop();
      for (let missed = 0; missed < 20; missed++) await changeAtRandom();
      await restarted.start();
    }
    areNotifiesLost = false;
    await zones.publish(`last.${APEX}`, ['10.1.1.1']);
    expect(await allAreEqual()).toBe(true);
    const [knot, , bind] = servers;
    expect(knot!.said()).toMatch(/IXFR, incoming.* finished/);
    // BIND keeps a journal of what it got as changes.
    expect(await bind!.files()).toContain('devices.example.com.zone.jnl');
  });

  test('are the only ones who get it', async () => {
    const good = `hmac-sha256:${KEY_NAME}:${SECRET}`;
    const wrongSecret = `hmac-sha256:${KEY_NAME}:${randomBytes(32).toString('base64')}`;
    const wrongName = `hmac-sha256:other:${SECRET}`;
    for (const type of ['AXFR', 'IXFR=1']) {
      for (const [options, why] of [
        [[], /Transfer failed|REFUSED/],
        [['-y', wrongSecret], /NOTAUTH|BADSIG|Transfer failed/],
        [['-y', wrongName], /NOTAUTH|BADKEY|Transfer failed/],
        [['-y', good, '-b', '127.0.0.9'], /Transfer failed|REFUSED/],
      ] as const) {
        const { stdout } = await transfer(primaryPort, ...options, APEX, type, '+tcp');
        expect(stdout).toMatch(why);
        expect(stdout).not.toContain(`last.${APEX}`);
      }
      expect((await transfer(primaryPort, '-y', good, APEX, type, '+tcp')).stdout).toContain(`last.${APEX}`);
    }
  });

  test('IXFR by dig and kdig has the changes, one by one, and a signature that verifies', async () => {
    const before = await serialAt(primaryPort);
    await zones.publish(`moved.${APEX}`, ['10.2.0.1']);
    await zones.publish(`moved.${APEX}`, ['10.2.0.2']);
    for (const tool of ['dig', 'kdig'] as const) {
      const key = `hmac-sha256:${KEY_NAME}:${SECRET}`;
      const { text } = await dig(
        tool,
        { host: LOOPBACK, port: primaryPort },
        '-y',
        key,
        APEX,
        `IXFR=${before}`,
        '+tcp',
      );
      const lines = text.split('\n').filter((line) => /\sIN\s+(A|SOA)\s/.test(line));
      const what = lines.map((line) =>
        / IN (A \S+|SOA \S+ \S+ \d+)/.exec(line.replaceAll(/\s+/g, ' '))?.[1]?.split(' ').at(-1),
      );
      const serial = Number(before);
      const [zero, one, two] = [serial, serial + 1, serial + 2].map(String);
      expect([tool, ...what]).toEqual([tool, two, zero, one, '10.2.0.1', one, '10.2.0.1', two, '10.2.0.2', two]);
      expect(text).not.toMatch(/WARNING|BADSIG|verify fail/i);
    }
  });
});

async function transfer(port: number, ...question: readonly string[]) {
  const { text } = await dig('dig', { host: LOOPBACK, port }, ...question, '+nocookie');
  return { stdout: text, report: text };
}

async function wholeZone(port: number): Promise<readonly string[]> {
  const key = `hmac-sha256:${KEY_NAME}:${SECRET}`;
  const { stdout, report } = await transfer(port, '-y', key, APEX, 'AXFR');
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';') && !/\sTSIG\s/.test(line));
  if (lines.length < 3) throw new Error(report);
  return lines.map((line) => line.replaceAll(/\s+/g, ' ').toLowerCase()).toSorted();
}

async function serialAt(port: number): Promise<string | undefined> {
  const { answer } = await dig('dig', { host: LOOPBACK, port }, APEX, 'SOA', '+time=1', '+tries=1');
  return answer[0]?.split(' ')[6];
}
