/** The MQTT server's certificate from the private CA, new now and then. */
import { describeError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Runnable, Timer } from '@lanyard/sdk/kernel';
import type { BrokerConfig } from './config.ts';
import type { EmbeddedBroker } from './mqtt/embedded-broker.ts';
import type { ServerCredentials } from './mqtt/handshake.ts';
import type { PrivateCa } from './pki/private-ca.ts';

interface World {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Long before its end and often enough that a forgotten process never shows an expired one. */
const SERVER_CERTIFICATE_MS = 30 * 86_400_000;

export async function serverCredentials(names: readonly string[], privateCa: PrivateCa): Promise<ServerCredentials> {
  return { ...(await privateCa.issueServer(names)), clientRootPem: privateCa.rootPem };
}

/** A new server certificate now and then, so that a broker that is never restarted does not show an expired one. */
export function serverCertificateRounds(
  { mqtt: { names } }: BrokerConfig,
  privateCa: PrivateCa,
  mqtt: EmbeddedBroker,
  { clock, log }: World,
): Runnable {
  let timer: Timer | undefined;
  const replace = async (): Promise<void> => {
    try {
      mqtt.setCredentials(await serverCredentials(names, privateCa));
    } catch (error) {
      log.error({ err: describeError(error) }, 'the server certificate was not replaced; tried again next month');
    }
  };
  const arm = (): void => {
    timer = clock.setTimer(SERVER_CERTIFICATE_MS, () => {
      void replace();
      arm();
    });
  };
  return { start: async () => arm(), stop: async () => timer?.cancel() };
}
