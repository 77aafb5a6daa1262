/** P2: what the broker says to one appliance reaches that appliance, and speaks of no name but its own. */
import type { DownMessage } from '@lanyard/sdk/protocol';
import type { Invariant, InvariantParts } from './invariant.ts';

export function ownMessagesOnly({ facts, violate }: InvariantParts): Invariant {
  return {
    name: 'own-messages-only',
    guards: 'P2',
    onDown({ atMs, appliance, deviceId, addressee, message }) {
      if (deviceId !== addressee) {
        violate({ atMs, appliance, what: `${deviceId} was given a ${message.kind} that was meant for ${addressee}` });
      }
      const own = facts.nameOf(appliance);
      const names = namesIn(message);
      if (names === undefined || (names.length === 1 && names[0] === own)) return;
      violate({ atMs, appliance, what: `a ${message.kind} to ${own} speaks of ${names.join(', ') || 'no name'}` });
    },
  };
}

function namesIn(message: DownMessage): readonly string[] | undefined {
  if (message.kind === 'state') return message.state.names;
  if (message.kind === 'certificate' && message.certificate.kind === 'issued') return message.certificate.names;
  return undefined;
}
