/** Mass revocations: everything issued before has to go, with a notice, as the Baseline Requirements may force a CA. */
import type { Clock, Timer } from '@lanyard/sdk/kernel';
import type { CertificateRecord, Certificates } from './certificates.ts';

export interface Incident {
  /** What was issued until then is affected. */
  readonly announcedAtMs: number;
  readonly revokeAtMs: number;
  /** RFC 9773 §4.2: a page for people. */
  readonly explanationUrl?: string;
}

export interface RevocationNotice {
  /** Baseline Requirements §4.9.1.1: 24 hours, or five days. */
  readonly noticeMs: number;
  readonly explanationUrl?: string;
  /** RFC 5280 §5.3.1; superseded when left out. */
  readonly reason?: number;
}

export interface IncidentsOptions {
  readonly clock: Clock;
  readonly certificates: Certificates;
  readonly onRevoked: (record: CertificateRecord, reason: number) => void;
}

const SUPERSEDED = 4;

/** Each is looked at for every certificate that somebody asks about. */
const INCIDENT_LIMIT = 100;

export class Incidents {
  readonly #parts: IncidentsOptions;
  #incidents: readonly Incident[] = [];
  readonly #timers = new Set<Timer>();

  constructor(options: IncidentsOptions) {
    this.#parts = options;
  }

  /** The first to end, of those that a certificate is part of. */
  affecting(record: Pick<CertificateRecord, 'issuedAtMs'>): Incident | undefined {
    return this.#incidents.find((incident) => record.issuedAtMs <= incident.announcedAtMs);
  }

  /** Renewal windows move at once; revoked is when the notice has passed. */
  announce(notice: RevocationNotice): Incident {
    const { clock } = this.#parts;
    const { noticeMs, reason = SUPERSEDED, explanationUrl } = notice;
    const announcedAtMs = clock.nowMs();
    const incident: Incident = {
      announcedAtMs,
      revokeAtMs: announcedAtMs + noticeMs,
      ...(explanationUrl === undefined ? {} : { explanationUrl }),
    };
    this.#incidents = [...this.#incidents, incident]
      .toSorted((one, other) => one.revokeAtMs - other.revokeAtMs)
      .slice(-INCIDENT_LIMIT);
    const timer = clock.setTimer(noticeMs, () => {
      this.#timers.delete(timer);
      this.#revoke(incident, reason);
    });
    this.#timers.add(timer);
    return incident;
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #revoke(incident: Incident, reason: number): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const record of this.#parts.certificates.issuedUntil(incident.announcedAtMs)) {
      if (record.revocation !== undefined || record.notAfterMs < nowMs) continue;
      this.#parts.certificates.revokeByAccount(record, reason, nowMs);
      this.#parts.onRevoked(record, reason);
    }
  }
}
