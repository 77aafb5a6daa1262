/** Pebble behind a resolver that waits for a name server that restarts; alone it gives up at the first refusal. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { sleep, systemClock } from '@lanyard/sdk/kernel';
import type { TownAuthority, TownPlan } from '@lanyard/simulator';
import type { Endpoint } from '../../simulator/src/world/lan.ts';
import type { Counted, CountingAuthority } from './counting-authority.ts';
import { startPebble } from './pebble.ts';
import type { Pebble } from './pebble.ts';

const LOOPBACK = '127.0.0.1';
/** Pebble's DNS client waits 2 s for an answer (miekg/dns, `dnsTimeout`): what comes back later fails all the same. */
const PATIENCE_MS = 2_000;
const ASK_AGAIN_MS = 20;

export class PatientPebble implements CountingAuthority {
  #pebble: Pebble | undefined;

  readonly start: NonNullable<TownPlan['startAuthority']> = async (nameServer): Promise<TownAuthority> => {
    const relay = createServer((asker) => void carry(asker, nameServer));
    relay.listen(0, LOOPBACK);
    await once(relay, 'listening');
    const pebble = await startPebble({ host: LOOPBACK, port: portOf(relay) });
    this.#pebble = pebble;
    const stop = async (): Promise<void> => {
      relay.close();
      await pebble.stop();
    };
    const { directoryUrl, tlsRootPem, rootPem, caaIdentity } = pebble;
    return { directoryUrl, tlsRootPem, rootPem, caaIdentity, stop };
  };

  counted(): Counted {
    const said = this.#pebble?.said() ?? '';
    const times = (pattern: RegExp): number => said.match(pattern)?.length ?? 0;
    return {
      orders: times(/Added order "/g),
      certificates: times(/Issued certificate serial/g),
      failedValidations: times(/order \S+ set INVALID by invalid authz/g),
      // It has no limits.
      refusals: 0,
    };
  }
}

/** One query over TCP, asked until somebody answers. */
async function carry(asker: Socket, nameServer: Endpoint): Promise<void> {
  asker.on('error', () => asker.destroy());
  const query = await whole(asker);
  for (const untilMs = systemClock.monotonicMs() + PATIENCE_MS; systemClock.monotonicMs() < untilMs;) {
    const answer = await ask(query, nameServer);
    if (answer.length > 0) {
      asker.end(answer);
      return;
    }
    await sleep(systemClock, ASK_AGAIN_MS);
  }
  asker.destroy();
}

/** Empty when nobody answers, or dies while answering. */
async function ask(query: Buffer, { host, port }: Endpoint): Promise<Buffer> {
  const socket = connect(port, host);
  socket.on('error', () => socket.destroy());
  socket.write(query);
  const answer = await whole(socket);
  socket.destroy();
  return answer;
}

/** One message with its length in front (RFC 1035 §4.2.2); empty when the line breaks before. */
async function whole(socket: Socket): Promise<Buffer> {
  return await new Promise((resolve) => {
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) resolve(received);
    });
    socket.on('close', () => resolve(Buffer.alloc(0)));
  });
}

function portOf(server: Server): number {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  return (server.address() as AddressInfo).port;
}
