/** What the admin API shows and does, put together from fleet, certificate desk and private CA. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type {
  ApplianceList,
  ApplianceView,
  CertificateView,
  EnrolledView,
  EnrolRequest,
  OrderView,
  ReplacementView,
  ReplacementWish,
  WaitView,
  Registry,
} from './admin/registry.ts';
import type { CertificateDesk } from './certificates/desk.ts';
import type { Order } from './certificates/order.ts';
import type { StandIns } from './certificates/renewal/stand-ins.ts';
import type { KeyRefusal } from './certificates/key-refusal.ts';
import type { Replacement, RevocationRequest } from './certificates/replacement.ts';
import type { StoredCertificate } from './certificates/stored-certificate.ts';
import type { Outlook } from './certificates/schedule/turns.ts';
import { nameOf } from './fleet/appliance.ts';
import type { Appliance } from './fleet/appliance.ts';
import type { Fleet } from './fleet/fleet.ts';

/** Makes an identity certificate for a key that was shown to be the appliance's. */
export interface IdentityIssuer {
  /** @throws LanyardError `csr-invalid` | `csr-weak-key`. */
  readIdentityKey(key: { readonly csrPem: string } | { readonly publicKeyPem: string }): Promise<IdentityKey>;
  issueIdentity(deviceId: string, key: IdentityKey): Promise<string>;
  readonly rootPem: string;
}

export interface IdentityKey {
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** SHA-256 of it, lower-case hex. */
  readonly keyHash: string;
}

export interface RegistryParts {
  readonly fleet: Fleet;
  readonly desk: CertificateDesk;
  readonly standIns: Pick<StandIns, 'plannedAtMs'>;
  readonly replacement: Replacement;
  readonly keyRefusal: Pick<KeyRefusal, 'check'>;
  readonly identities: IdentityIssuer;
  readonly isConnected: (deviceId: string) => boolean;
  /** Tells a connected appliance that something changed for it. */
  readonly prompt: (deviceId: string) => Promise<void>;
  /** Looks at every connected appliance again, spread over so long. Tells how many there are. */
  readonly promptAll: (withinMs: number) => number;
}

const HISTORY_ROWS = 20;

/** A hundred a second for a fleet of 30,000: the database answers ten times as many. */
const PROMPT_WITHIN_MS = 5 * 60_000;

export class BrokerRegistry implements Registry {
  readonly #parts: RegistryParts;

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  async enrol({ deviceId, csr, publicKey }: EnrolRequest): Promise<EnrolledView> {
    const { fleet, identities, keyRefusal } = this.#parts;
    const key = await identities.readIdentityKey(keyMaterial(csr, publicKey));
    await keyRefusal.check(key.keyHash);
    const appliance = await fleet.enrol(deviceId, key.keyHash);
    const identityCertificate = await identities.issueIdentity(deviceId, key);
    return { deviceId, name: nameOf(appliance), identityCertificate, brokerRoot: identities.rootPem };
  }

  async list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<ApplianceList> {
    const { fleet } = this.#parts;
    const { after, limit } = page;
    const rows = await fleet.list({ limit, ...(after !== undefined && { after }) });
    return {
      total: await fleet.count(),
      appliances: await Promise.all(rows.map((appliance) => this.#view(appliance))),
    };
  }

  async show(deviceId: string): Promise<ApplianceView> {
    const { fleet } = this.#parts;
    const view = await this.#view(await fleet.find(deviceId));
    const periods = await fleet.addressHistory(deviceId, HISTORY_ROWS);
    const addressHistory = periods.map(({ address, fromMs, untilMs }) => ({
      address,
      from: iso(fromMs),
      ...(untilMs !== undefined && { until: iso(untilMs) }),
    }));
    return { ...view, addressHistory };
  }

  async renew(deviceId: string): Promise<ApplianceView> {
    const { fleet, desk, prompt } = this.#parts;
    await fleet.find(deviceId);
    await desk.renewNow(deviceId);
    await prompt(deviceId);
    return await this.show(deviceId);
  }

  async revoke(deviceId: string, request: RevocationRequest): Promise<ApplianceView> {
    const { fleet, replacement, prompt } = this.#parts;
    await fleet.find(deviceId);
    await replacement.revoke(deviceId, request, new AbortController().signal);
    await prompt(deviceId);
    return await this.show(deviceId);
  }

  async replaceAll({ withinSeconds, isDryRun }: ReplacementWish): Promise<ReplacementView> {
    const { replacement, promptAll } = this.#parts;
    const withinMs = withinSeconds * 1_000;
    const certificates = await replacement.replaceAll(withinMs, isDryRun);
    // Soon enough for the first instants, and not all in one second.
    const connected = isDryRun ? undefined : promptAll(Math.min(PROMPT_WITHIN_MS, withinMs / 10));
    return { certificates, ...(connected !== undefined && { connected }) };
  }

  async #view(appliance: Appliance): Promise<ApplianceView> {
    const { deviceId, status, published, enrolledAtMs, lastHello } = appliance;
    const { desk, standIns } = this.#parts;
    const { latestCertificate, openOrder } = await desk.dossier(deviceId);
    return {
      deviceId,
      name: nameOf(appliance),
      status,
      isConnected: this.#parts.isConnected(deviceId),
      published,
      enrolledAt: iso(enrolledAtMs),
      ...(lastHello && {
        lastSeenAt: iso(lastHello.atMs),
        rebinding: lastHello.rebinding,
        firmware: {
          sdk: lastHello.sdkVersion,
          ...(lastHello.firmwareVersion !== undefined && { version: lastHello.firmwareVersion }),
          ...(lastHello.model !== undefined && { model: lastHello.model }),
        },
      }),
      ...(latestCertificate && {
        certificate: certificateView(latestCertificate, standIns.plannedAtMs(latestCertificate)),
      }),
      ...(openOrder && { order: orderView(openOrder, desk.outlook(openOrder)) }),
    };
  }
}

function keyMaterial(
  csr: string | undefined,
  publicKey: string | undefined,
): Parameters<IdentityIssuer['readIdentityKey']>[0] {
  if (csr !== undefined && publicKey === undefined) return { csrPem: csr };
  if (publicKey !== undefined && csr === undefined) return { publicKeyPem: publicKey };
  throw new LanyardError('admin-request-invalid', { message: 'exactly one of csr and publicKey is needed' });
}

function certificateView(certificate: StoredCertificate, unattendedMs: number | undefined): CertificateView {
  const { fingerprint, serial, names, notBeforeMs, notAfterMs, renewAtMs, installedAtMs } = certificate;
  const { window, explanationUrl, revocation, asleepSinceMs } = certificate;
  const times = { notBefore: iso(notBeforeMs), notAfter: iso(notAfterMs), renewAt: iso(renewAtMs) };
  return {
    ...(certificate.authority !== '' && { ca: certificate.authority }),
    fingerprint,
    serial,
    names,
    ...times,
    ...(window && { renewalWindow: { start: iso(window.startMs), end: iso(window.endMs) } }),
    ...(explanationUrl !== undefined && { explanationUrl }),
    ...(unattendedMs !== undefined && { unattendedAt: iso(unattendedMs) }),
    ...(asleepSinceMs !== undefined && { asleepSince: iso(asleepSinceMs) }),
    ...(revocation && { revoked: { reason: revocation.reason, at: iso(revocation.atMs) } }),
    ...(installedAtMs !== undefined && { installedAt: iso(installedAtMs) }),
  };
}

function orderView(
  { id, state, placement, requestedAtMs, failures, lastFailure, asleepSinceMs }: Order,
  outlook: Outlook | undefined,
): OrderView {
  const ownMs = 'notBeforeMs' in state ? state.notBeforeMs : undefined;
  const nextTryMs = outlook && 'untilMs' in outlook ? outlook.untilMs : ownMs;
  return {
    id,
    state: state.kind,
    ...(placement && { ca: placement.authority }),
    requestedAt: iso(requestedAtMs),
    failures,
    ...(asleepSinceMs !== undefined && { asleepSince: iso(asleepSinceMs) }),
    ...(nextTryMs !== undefined && { nextTryAt: iso(nextTryMs) }),
    ...(outlook && { waitsFor: waitView(outlook) }),
    ...(lastFailure && {
      lastFailure: { code: lastFailure.code, message: lastFailure.message, at: iso(lastFailure.atMs) },
    }),
  };
}

function waitView(outlook: Outlook): WaitView {
  const until = 'untilMs' in outlook ? { until: iso(outlook.untilMs) } : {};
  const ahead = 'ahead' in outlook ? { ahead: outlook.ahead } : {};
  if (outlook.kind !== 'budget') return { what: outlook.kind, ...until, ...ahead };
  const { authority: ca, limit, subject } = outlook.short.bucket;
  return { what: outlook.kind, ...until, ...ahead, limit, ca, ...(subject !== '' && { subject }) };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
