/** Can appliances reach the broker by each of its names, and will they trust what answers? */
import { error, ok, skipped, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import type { Handshake, ShakeHands } from './shake-hands.ts';

export interface ListenerSubject {
  readonly names: readonly string[];
  /** 0: a free one, which nobody knows beforehand. */
  readonly port: number;
  /** The private root that every appliance has pinned; undefined: it cannot be read. */
  readonly rootPem: string | undefined;
}

const DAY_MS = 86_400_000;
/** The broker makes a new one every 30 days that lasts for years: so late it has not for long. */
const SOON_MS = 14 * DAY_MS;

export async function examineListener(
  { names, port, rootPem }: ListenerSubject,
  { shakeHands, nowMs }: { readonly shakeHands: ShakeHands; readonly nowMs: number },
): Promise<readonly Finding[]> {
  if (port === 0) return [skipped('mqtt', 'the MQTT port was not tried: by the settings it is any free one')];
  if (rootPem === undefined) return [skipped('mqtt', 'the MQTT port was not tried: the private root cannot be read')];
  return await Promise.all(
    names.map(async (host) => judgeListener(`${host}:${port}`, await shakeHands({ host, port, rootPem }), nowMs)),
  );
}

function judgeListener(whom: string, handshake: Handshake, nowMs: number): Finding {
  if (handshake.kind === 'silence') {
    return error('mqtt', {
      what: `${whom} does not take connections with TLS (${handshake.reason}).`,
      why: 'Appliances come by this name; those that cannot get through get no certificates.',
      mend: 'Check that the broker runs, that the name leads to it, and that firewalls let the port in.',
    });
  }
  const { complaint, notAfterMs } = handshake;
  const end = new Date(notAfterMs).toISOString();
  if (notAfterMs <= nowMs) {
    return error('mqtt', {
      what: `The certificate at ${whom} expired on ${end}.`,
      why: 'Appliances refuse to talk to it.',
      mend: 'Restart the broker, which makes itself a new one; if the private root itself is over, all appliances need a new one.',
    });
  }
  if (complaint !== undefined) {
    return error('mqtt', {
      what: `The certificate at ${whom} is not one that appliances trust (${complaint}).`,
      why: 'They trust the private root alone, and only for a name of `mqtt.names`.',
      mend: 'Let load balancers pass TLS through, and restart the broker after changing `mqtt.names`.',
    });
  }
  if (notAfterMs <= nowMs + SOON_MS) {
    return warning('mqtt', {
      what: `The certificate at ${whom} ends on ${end}.`,
      why: 'The broker should have made itself another long ago; after that day appliances refuse it.',
      mend: 'Restart the broker; if the date stays, the private root itself is near its end.',
    });
  }
  return ok('mqtt', `${whom} has a certificate of the private root until ${end}`);
}
