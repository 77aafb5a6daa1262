/** Ours: certificate desk, order machine, ACME adapter, database thread and DNS thread, wired as in the broker. */
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, sleep, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { AcmeAuthority } from '../../broker/src/acme/acme-authority.ts';
import { FileAccountStore } from '../../broker/src/acme/file-account-store.ts';
import { AcmeTransport } from '../../broker/src/acme/transport.ts';
import { termsOf } from '../../broker/src/certificates/budget/presets.ts';
import type { ChallengeBoard } from '../../broker/src/certificates/challenge-board.ts';
import { CertificateDesk } from '../../broker/src/certificates/desk.ts';
import { Issuance } from '../../broker/src/certificates/issuance.ts';
import { Issuers } from '../../broker/src/certificates/issuers.ts';
import { CaGate } from '../../broker/src/certificates/schedule/ca-gate.ts';
import { readIssuedChain } from '../../broker/src/pki/issued-chain.ts';
import { readSigningRequest } from '../../broker/src/pki/signing-request.ts';
import { registeredDomains } from '../../broker/src/registered-domain.ts';
import { SqliteStore } from '../../broker/src/store/sqlite-store.ts';
import type { Contender, Task } from './contender.ts';
import { startDnsBoard, startThread } from './dns-board.ts';
import { ownCpuMs } from './own-cpu.ts';
import { makeRequests } from './signing-requests.ts';
import type { Request } from './signing-requests.ts';

const world = { clock: systemClock, random: systemRandom, log: silentLogger };

export async function oursContender(directory: string): Promise<Contender> {
  const path = join(directory, 'lanyard.sqlite');
  const store = new SqliteStore({ startThread: () => startThread('store/thread'), path, ...world, onFailure });
  await store.start();
  const board = await startDnsBoard(store.zones);
  const closers: (() => Promise<void>)[] = [() => store.stop(), () => board.stop()];
  let race: Contender['race'] | undefined;
  return {
    nameServer: board.address,
    async prepare(task) {
      const { transport, authority } = await openAccount(task);
      closers.push(
        () => transport.stop(),
        () => authority.stop(),
      );
      const cleared = new EventEmitter();
      const zones = watched(board.zones, () => cleared.emit('cleared'));
      const ports = { board: zones, store: store.orders, readChain: readIssuedChain };
      const terms = termsOf({ preset: 'pebble', id: task.directoryUrl });
      const issuers = new Issuers({ ranked: [{ terms, authority, gate: new CaGate(world) }], patienceMs: 900_000 });
      const budget = { issuers, registeredDomainOf: registeredDomains() };
      const issuance = new Issuance({ ...ports, ...world, ...budget, settings: { concurrency: task.concurrency } });
      await issuance.start();
      closers.push(() => issuance.stop());
      const desk = new CertificateDesk({ store: store.orders, issuance, readRequest: readSigningRequest, ...world });
      const requests = await makeRequests(task.count, 'ours');
      const paced = inTime(requests, task.perSecond);
      race = (onCertificate) => certifyAll(issuance, desk, requests.length, paced, cleared, onCertificate);
    },
    race: async (onCertificate) => await race?.(onCertificate),
    cpuMs: ownCpuMs,
    async stop() {
      for (let close = closers.pop(); close; close = closers.pop()) await close();
    },
  };
}

async function openAccount({
  directoryUrl,
  directory,
  rootsPath,
}: Task): Promise<{ transport: AcmeTransport; authority: AcmeAuthority }> {
  const transport = new AcmeTransport({ clock: systemClock, extraRootsPem: await readFile(rootsPath, 'utf8') });
  await transport.start();
  const account = new FileAccountStore({ path: join(directory, 'account.json') });
  const authority = new AcmeAuthority({ directoryUrl, account, transport, clock: systemClock, log: silentLogger });
  await authority.start();
  if (authority.accountUrl === undefined) throw new Error('the CA made no account');
  return { transport, authority };
}

function onFailure(error: Error): never {
  throw error;
}

/** Hands everything on to `board` and tells of each record that was taken down. */
function watched(board: ChallengeBoard, onCleared: () => void): ChallengeBoard {
  return {
    put: (record) => board.put(record),
    list: () => board.list(),
    async clear(record) {
      await board.clear(record);
      onCleared();
    },
  };
}

/** Asks for all; ends when every certificate is here and every record gone. */
async function certifyAll(
  issuance: Issuance,
  desk: CertificateDesk,
  count: number,
  requests: AsyncIterable<Request>,
  cleared: EventEmitter,
  onCertificate: () => void,
): Promise<void> {
  let [records, certificates] = [count, count];
  await new Promise<void>((resolve, reject) => {
    const check = (): void => {
      if (records === 0 && certificates === 0) resolve();
    };
    cleared.on('cleared', () => {
      records -= 1;
      check();
    });
    issuance.onEvent({
      issued: () => {
        certificates -= 1;
        onCertificate();
        check();
      },
      failed: ({ lastFailure }) => reject(new Error(lastFailure?.message)),
    });
    const askForAll = async (): Promise<void> => {
      for await (const { name, der } of requests) desk.request(name.split('.')[0] ?? '', [name], der).catch(reject);
    };
    askForAll().catch(reject);
  });
}

async function* inTime(requests: readonly Request[], perSecond: number | undefined): AsyncGenerator<Request> {
  for (const request of requests) {
    yield request;
    if (perSecond !== undefined) await sleep(systemClock, 1000 / perSecond);
  }
}
