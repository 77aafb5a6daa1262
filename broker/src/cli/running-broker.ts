/** Some commands change what a running broker holds in memory: they look first whether one runs. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { LanyardError } from '@lanyard/sdk/kernel';
import { loadConfig } from '../config.ts';

/** By default it is this machine, which answers or refuses at once. */
const TIMEOUT_MS = 2_000;

/** @throws LanyardError `broker-running` | `config-unreadable` | `config-invalid`. */
export async function refuseWhileBrokerRuns(configPath: string): Promise<void> {
  const { host, port } = (await loadConfig(configPath)).admin;
  if (!(await isAnswered(host, port))) return;
  const message = `something answers at ${host} port ${port}, so that a broker may run: stop it first`;
  throw new LanyardError('broker-running', { message });
}

/** Silence, too, may be a broker: one that is busy. */
async function isAnswered(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: TIMEOUT_MS });
  try {
    await Promise.race([once(socket, 'connect'), once(socket, 'timeout')]);
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
