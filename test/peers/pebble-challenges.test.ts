/** Every way to prove a name, as Pebble checks it: each ends in a certificate, and each is noticed when it is wrong. */
import { silentLogger } from '@lanyard/sdk/kernel';
import { beforeAll, describe, expect, test } from 'vitest';
import { ChallengeBoards } from '../../broker/src/certificates/challenge-boards.ts';
import type { ChallengeBoard, ChallengeRecord } from '../../broker/src/certificates/challenge-board.ts';
import { CHALLENGE_KINDS } from '../../broker/src/certificates/challenge-kind.ts';
import type { ChallengeKind } from '../../broker/src/certificates/challenge-kind.ts';
import { HttpChallengeServer } from '../../broker/src/http-challenges/http-challenge-server.ts';
import { freePort } from '../../simulator/src/world/free-port.ts';
import { BriskClock } from '../support/brisk-clock.ts';
import { serveZone } from '../support/challenge-hook.ts';
import type { ServedZones } from '../support/challenge-hook.ts';
import { InProcessBroker } from '../support/in-process-broker.ts';
import { Issuer } from '../support/issuer.ts';
import { startPebble } from '../support/pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { arePeersMissing } from '../support/peers.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const ZONE = 'devices.lanyard.test';
const LOOPBACK = '127.0.0.1';
/** Every order is proved. */
const environment = { PEBBLE_AUTHZREUSE: '0', PEBBLE_WFE_NONCEREJECT: '0' };

describe.skipIf(arePeersMissing('pebble'))('Pebble is shown', () => {
  const undo = undoAfterAll();
  let zone: ServedZones;
  let http: HttpChallengeServer;
  let pebble: Pebble;

  beforeAll(async () => {
    zone = await serveZone(ZONE);
    undo(() => zone.stop());
    http = new HttpChallengeServer({ host: LOOPBACK, port: 0, log: silentLogger });
    await http.start();
    undo(() => http.stop());
    pebble = await startPebble(zone.address, { environment, settings: { httpPort: http.port } });
    undo(() => pebble.stop());
  });

  async function issuer(challenge: ChallengeKind, board: ChallengeBoard): Promise<Issuer> {
    const made = new Issuer({ ca: pebble, board, clock: new BriskClock(60), acme: { challenge } });
    undo(() => made.stop());
    await made.start();
    return made;
  }

  /** Where validators who ask by HTTP are led. */
  async function named(label: string): Promise<string> {
    const name = `${label}.${ZONE}`;
    await zone.zones.publish(name, [LOOPBACK]);
    return name;
  }

  const boards = (): ChallengeBoards => new ChallengeBoards({ txt: zone.zones, http });

  test.each(CHALLENGE_KINDS)('%s, and issues; afterwards nothing is left of it', async (kind) => {
    const name = await named(`right-${kind}`);
    const ours = await issuer(kind, boards());
    expect((await ours.order(name)).names).toEqual([name]);
    expect([ours.published, ours.failures]).toEqual([1, []]);
    expect(await boards().list()).toEqual([]);
  });

  const complaints: Readonly<Record<ChallengeKind, string>> = {
    'dns-01': 'Correct value not found for DNS challenge',
    'dns-account-01': 'Correct value not found for DNS-ACCOUNT-01 challenge',
    'dns-persist-01': 'accounturi mismatch',
    'http-01': 'The key authorization file from the server did not match this challenge',
  };

  test.each(CHALLENGE_KINDS)('a wrong %s once: it says so, and the next order has it right', async (kind) => {
    const name = await named(`wrong-${kind}`);
    const ours = await issuer(kind, new SpoiltOnce(boards()));
    await ours.order(name);
    expect(ours.failures).toEqual(['authority-validation-failed']);
    expect(ours.complaints[0]).toContain(complaints[kind]);
    expect(ours.complaints[0]).toContain('urn:ietf:params:acme:error:unauthorized');
    expect(await boards().list()).toEqual([]);
  });
});

describe.skipIf(arePeersMissing('pebble'))('a surrogate', () => {
  const undo = undoAfterAll();

  test('proves the name in public, and the appliance in its LAN gets the certificate', async () => {
    const directory = await temporaryDirectory(undo);
    // What the Internet sees is not what the LAN sees: here names lead to the broker.
    const publicZone = await serveZone(ZONE);
    undo(() => publicZone.stop());
    const ports = { dnsPort: await freePort(), mqttPort: await freePort() };
    const http = { host: LOOPBACK, port: await freePort() };
    const pebble = await startPebble(publicZone.address, { environment, settings: { httpPort: http.port } });
    undo(() => pebble.stop());
    const acme = { challenge: 'http-01' } as const;
    const broker = await InProcessBroker.make({ directory, ca: pebble, zone: ZONE, ...ports, acme, http });
    await broker.start();
    undo(() => broker.stop());
    const box = await broker.makeAppliance('appliance-1');
    await publicZone.zones.publish(box.name, [LOOPBACK]);
    await box.powerOn();
    undo(() => box.powerOff());
    expect((await box.certified()).names).toEqual([box.name]);
    const answer = await fetch(`http://${LOOPBACK}:${http.port}/`);
    expect(answer.status).toBe(404);
  });
});

/** Puts the first record up with something behind it. */
class SpoiltOnce implements ChallengeBoard {
  readonly #board: ChallengeBoard;
  #spoilt: ChallengeRecord | undefined;

  constructor(board: ChallengeBoard) {
    this.#board = board;
  }

  async put(record: ChallengeRecord): Promise<void> {
    const isFirst = this.#spoilt === undefined;
    this.#spoilt ??= spoilt(record);
    await this.#board.put(isFirst ? this.#spoilt : record);
  }

  async clear(record: ChallengeRecord): Promise<void> {
    await this.#board.clear(record);
    if (this.#spoilt) await this.#board.clear(this.#spoilt);
  }

  list(): Promise<readonly ChallengeRecord[]> {
    return this.#board.list();
  }
}

function spoilt({ kind, name, value }: ChallengeRecord): ChallengeRecord {
  return { kind, name, value: `${value}x` };
}
