/** How an appliance stands with its certificate, in one word and its facts; derived whenever it is asked for. */
import type { ErrorCode } from '../kernel/errors.ts';
import type { State as BrokerState, WithheldAddress } from '../protocol/state.ts';
import type { Credential } from './credential.ts';
import type { State } from './lifecycle.ts';
import { expiringFromMs } from './renewal-time.ts';

export type ApplianceStatus =
  /** The broker has not assigned a name yet; a self-signed certificate is served. */
  | (Common & { readonly kind: 'unnamed' })
  /** The first certificate is on its way; a self-signed one is served. */
  | (Common & { readonly kind: 'requesting' })
  | (Common & { readonly kind: 'current'; readonly certificate: CertificateFacts })
  | (Common & { readonly kind: 'renewing'; readonly certificate: CertificateFacts })
  /** Less than a sixth of its life is left: renewal has failed for long. */
  | (Common & { readonly kind: 'expiring'; readonly certificate: CertificateFacts })
  /** Still served, because a known certificate that has expired beats an unknown one. */
  | (Common & { readonly kind: 'expired'; readonly certificate: CertificateFacts })
  /** Something was refused or failed and waits for its next try; the certificate, if any, is still good. */
  | (Common & { readonly kind: 'blocked'; readonly certificate?: CertificateFacts; readonly retryAtMs: number });

interface Common {
  readonly names: readonly string[];
  /** `away`: disconnected on purpose until the next check-in. */
  readonly link: 'up' | 'down' | 'away';
  /** Addresses that the name leads to, as the broker said last. */
  readonly published: readonly string[];
  readonly withheld: readonly WithheldAddress[];
  /** What went wrong last and has not come right since. */
  readonly lastProblem?: LastProblem;
}

/** What is public about a certificate. Times in epoch milliseconds. */
export interface CertificateFacts {
  readonly names: readonly string[];
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface LastProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly atMs: number;
  /** When it is tried next, if that is known. */
  readonly retryAtMs?: number;
}

export interface StatusParts {
  readonly state: State;
  readonly brokerState: BrokerState | undefined;
  readonly credential: Credential | undefined;
  readonly lastProblem: LastProblem | undefined;
  readonly nowMs: number;
  readonly monotonicMs: number;
}

export function deriveStatus(parts: StatusParts): ApplianceStatus {
  const { state, credential, nowMs } = parts;
  const common = commonOf(parts);
  const { phase } = state;
  const retryAtMs = phase.kind === 'blocked' ? Math.round(nowMs + phase.untilMs - parts.monotonicMs) : undefined;
  if (credential === undefined) {
    if (retryAtMs !== undefined) return { kind: 'blocked', ...common, retryAtMs };
    return { kind: state.names.length === 0 ? 'unnamed' : 'requesting', ...common };
  }
  const certificate = factsOf(credential);
  if (nowMs > credential.notAfterMs) return { kind: 'expired', ...common, certificate };
  if (nowMs >= expiringFromMs(credential)) return { kind: 'expiring', ...common, certificate };
  if (retryAtMs !== undefined) return { kind: 'blocked', ...common, certificate, retryAtMs };
  return { kind: phase.kind === 'idle' ? 'current' : 'renewing', ...common, certificate };
}

/** When time alone changes the status next. */
export function statusChangesAtMs(credential: Credential | undefined, nowMs: number): number | undefined {
  if (credential === undefined) return undefined;
  return [expiringFromMs(credential), credential.notAfterMs + 1].find((momentMs) => momentMs > nowMs);
}

export function factsOf({ names, fingerprint, notBeforeMs, notAfterMs }: Credential): CertificateFacts {
  return { names, fingerprint, notBeforeMs, notAfterMs };
}

function commonOf({ state, brokerState, lastProblem }: StatusParts): Common {
  return {
    names: state.names,
    link: linkOf(state),
    published: brokerState?.published ?? [],
    withheld: brokerState?.withheld ?? [],
    ...(lastProblem ? { lastProblem } : {}),
  };
}

function linkOf({ line }: State): Common['link'] {
  switch (line.kind) {
    case 'down':
      return 'down';
    case 'away':
      return 'away';
    case 'greeting':
    case 'greeted':
      return 'up';
  }
}
