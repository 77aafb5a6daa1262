/** What a laptop does with a name: one question to a name server, over UDP. */
import { createSocket } from 'node:dgram';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { decode, encode } from 'dns-packet';
import type { Endpoint } from './lan.ts';

/** Loopback loses nothing, but a restarting server does not answer: as stub resolvers do, ask again a few times. */
const TRY_MS = 1_000;
const MOST_TRIES = 4;

/** A records of `name`; an empty list when it has none. @throws LanyardError `dns-serving-failed`. */
export async function askForAddresses(server: Endpoint, name: string, clock: Clock): Promise<readonly string[]> {
  for (let tries = 1; ; tries++) {
    const answer = await askOnce(server, name, clock);
    if (answer !== undefined) return answer;
    if (tries >= MOST_TRIES) {
      throw new LanyardError('dns-serving-failed', { message: `no answer from the name server for ${name}` });
    }
  }
}

function askOnce({ host, port }: Endpoint, name: string, clock: Clock): Promise<readonly string[] | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const finish = (answer: readonly string[] | undefined): void => {
      timer.cancel();
      socket.close();
      resolve(answer);
    };
    const timer = clock.setTimer(TRY_MS, () => finish(undefined));
    socket.once('error', () => finish(undefined));
    socket.once('message', (message) => finish(addressesIn(message)));
    const question = encode({ type: 'query', id: 1, flags: 0x0100, questions: [{ type: 'A', name }] });
    socket.send(question, port, host);
  });
}

function addressesIn(message: Buffer): readonly string[] | undefined {
  try {
    return (decode(message).answers ?? []).flatMap((answer) => (answer.type === 'A' ? [answer.data] : []));
  } catch {
    return undefined;
  }
}
