/** How an appliance introduces itself: `hello`, within the limits of the wire whatever its parts say. */
import { isIP } from 'node:net';
import type { Hello, ReportedAddress } from '../protocol/hello.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Held } from './lifecycle.ts';

/** What stays the same from boot to shutdown. */
export interface Introduction {
  readonly sdkVersion: string;
  readonly firmwareVersion?: string;
  readonly model?: string;
}

export interface HelloParts {
  readonly id: string;
  readonly bootId: string;
  readonly clockMs: number;
  readonly addresses: readonly ReportedAddress[];
  readonly held: Held | undefined;
  readonly pendingKeyHash: string | undefined;
  readonly introduction: Introduction;
}

/** ISO 8601 as the wire writes it has four digits for the year. */
const LAST_INSTANT_MS = Date.UTC(9999, 11, 31);

export function makeHello({ held, pendingKeyHash, introduction, ...parts }: HelloParts): Hello {
  return {
    ...introduction,
    id: parts.id,
    bootId: parts.bootId,
    clockMs: Math.trunc(Math.min(LAST_INSTANT_MS, Math.max(0, parts.clockMs))),
    addresses: parts.addresses.filter(isLiteral).slice(0, LIMITS.addresses).map(fitting),
    ...(held ? { certificate: certificateOf(held) } : {}),
    ...(pendingKeyHash === undefined ? {} : { pendingKeyHash }),
    rebinding: 'unknown',
  };
}

function certificateOf({ fingerprint, notAfterMs, keyHash }: Held): NonNullable<Hello['certificate']> {
  return { fingerprint, notAfterMs: Math.min(notAfterMs, LAST_INSTANT_MS), keyHash };
}

/** One that the broker cannot read would cost the whole hello; with a zone (`fe80::1%eth0`) it is of no use in the DNS. */
function isLiteral({ address }: ReportedAddress): boolean {
  return isIP(address) !== 0 && !address.includes('%');
}

/** Windows allows interface names longer than the wire; losing their end is better than losing the hello. */
function fitting(reported: ReportedAddress): ReportedAddress {
  return { ...reported, interface: reported.interface.slice(0, LIMITS.interfaceCharacters) };
}
