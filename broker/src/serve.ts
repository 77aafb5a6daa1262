/** Runs the broker in this process until it is told to stop. */
import { once } from 'node:events';
import process from 'node:process';
import type { LanyardError } from '@lanyard/sdk/kernel';
import { destination, pino } from 'pino';
import { createBroker } from './broker.ts';
import { loadConfig } from './config.ts';
import { VERSION } from './version.ts';

/** Longer than any part may take to stop: the service manager need not guess. */
const STOP_MS = 20_000;

/** @throws LanyardError when it cannot start, or what it could not go on with. */
export async function serve(configPath: string): Promise<void> {
  const config = await loadConfig(configPath);
  // Standard error and synchronous: the last lines before an exit are the ones that matter.
  const log = pino(
    { level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 2, sync: true }),
  );
  let failed: LanyardError | undefined;
  const told = new AbortController();
  const onFailure = (error: LanyardError): void => {
    failed ??= error;
    told.abort();
  };
  const broker = await createBroker({ config, log, onFailure });
  await broker.start();
  const { mqttPort, dns, httpPort, adminPort } = broker.endpoints();
  const where = dns.map(({ host, port }) => `${host}:${port}`).join(', ');
  const http = httpPort === undefined ? '' : `, http-01 on port ${httpPort}`;
  process.stdout.write(`ready: MQTT on port ${mqttPort}, DNS on ${where}${http}, admin API on port ${adminPort}\n`);
  log.info({ mqttPort, dns, httpPort, adminPort, version: VERSION }, 'broker ready');
  await toldToStop(told.signal);
  log.info({}, 'broker stopping');
  const timer = setTimeout(() => process.exit(1), STOP_MS);
  await broker.stop();
  clearTimeout(timer);
  if (failed) throw failed;
}

/** Resolves on SIGTERM, on SIGINT, or once `signal` is aborted, which a part that died while others started has done. */
export async function toldToStop(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const abandoned = new AbortController();
  const either = { signal: abandoned.signal };
  await Promise.race([
    once(process, 'SIGTERM', either),
    once(process, 'SIGINT', either),
    once(signal, 'abort', either),
  ]);
  abandoned.abort();
  clearInterval(keepAlive);
}
