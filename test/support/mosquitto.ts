/** Mosquitto's command line clients as somebody who connects to a broker with some identity. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../simulator/src/world/lan.ts';
import { peer } from './peers.ts';
import { Program } from './program.ts';
import { runToEnd } from './run-to-end.ts';
import type { Ended } from './run-to-end.ts';

export interface MqttIdentity {
  /** What it says that it is; the certificate may say otherwise. */
  readonly clientId: string;
  /** A directory with `broker-root.crt`, and `identity.crt` and `identity.key` unless it shows no certificate. */
  readonly directory: string;
  readonly isAnonymous?: boolean;
}

/** Seconds that a client waits for anything: an answer comes in a fraction of that. */
const PATIENCE = '20';

/** Seconds; Mosquitto's clients refuse less. */
const SHORTEST_KEEPALIVE = '5';

/** `mosquitto_pub`, to its end. */
export async function publish(door: Endpoint, who: MqttIdentity, topic: string, message: string): Promise<Ended> {
  return await runToEnd(peer('mosquitto_pub'), [...connection(door, who), '-t', topic, '-m', message]);
}

/** `mosquitto_rr`: publishes to one topic and prints the first answer on another. */
export async function ask(
  door: Endpoint,
  who: MqttIdentity,
  { topic, message, answer }: { readonly topic: string; readonly message: string; readonly answer: string },
): Promise<Ended> {
  const args = ['-t', topic, '-m', message, '-e', answer, '-W', PATIENCE];
  return await runToEnd(peer('mosquitto_rr'), [...connection(door, who), ...args]);
}

/**
 * `mosquitto_sub`, which ends with the test; it prints each message as `topic payload`, and its own doings. What was
 * sent to it before a ping that it is answered has arrived: `received PINGRESP` is how to wait for nothing.
 */
export function listen(door: Endpoint, who: MqttIdentity, topics: readonly string[]): Program {
  const args = [
    ...connection(door, who),
    '-v',
    '-d',
    '-k',
    SHORTEST_KEEPALIVE,
    ...topics.flatMap((topic) => ['-t', topic]),
  ];
  // Into a pipe it would keep its lines to itself until they fill a buffer.
  const program = new Program({ command: peer('stdbuf'), args: ['-oL', peer('mosquitto_sub'), ...args] });
  onTestFinished(async () => {
    program.signalAll('SIGKILL');
    await program.ended;
  });
  return program;
}

function connection({ host, port }: Endpoint, { clientId, directory, isAnonymous }: MqttIdentity): readonly string[] {
  const certificate = ['--cert', join(directory, 'identity.crt'), '--key', join(directory, 'identity.key')];
  const trust = ['--cafile', join(directory, 'broker-root.crt')];
  const door = ['-h', host, '-p', String(port), '-V', 'mqttv311', '-q', '1', '-i', clientId, '-u', clientId];
  return [...door, ...trust, ...(isAnonymous ? [] : certificate)];
}
