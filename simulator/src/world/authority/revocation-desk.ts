/** revokeCert (RFC 8555 §7.6): by the account, by whoever has proved all names, by the certificate's key. */
import type { Clock } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import type { Account } from './accounts.ts';
import type { Authorizations } from './authorizations.ts';
import type { CertificateRecord, Certificates } from './certificates.ts';
import type { Counters } from './counters.ts';
import type { Answer } from './exchange.ts';
import type { SignedRequest } from './gatekeeper.ts';
import { keyFingerprint } from './good-key.ts';
import { parse, parseJson } from './jws.ts';
import { Problem } from './problems.ts';

export interface RevocationDeskOptions {
  readonly clock: Clock;
  readonly authorizations: Authorizations;
  readonly certificates: Certificates;
  readonly counters: Counters;
}

const Revocation = z.object({ certificate: z.base64url(), reason: z.int().optional() });

export class RevocationDesk {
  readonly #parts: RevocationDeskOptions;

  constructor(options: RevocationDeskOptions) {
    this.#parts = options;
  }

  revoke(request: SignedRequest): Answer {
    const { certificates, clock, counters } = this.#parts;
    const wanted = parse(Revocation, parseJson(request.payload, 'revokeCert request'), 'revokeCert request');
    const { record, publicKey } = certificates.find(Buffer.from(wanted.certificate, 'base64url'));
    const { signer } = request;
    const nowMs = clock.nowMs();
    if (record.expiresAtMs <= nowMs) throw new Problem('unauthorized', 'Certificate is expired');
    switch (signer.kind) {
      case 'account':
        this.#checkRight(signer.account, record, nowMs);
        certificates.revokeByAccount(record, wanted.reason ?? 0, nowMs);
        break;
      case 'key':
        if (signer.key.fingerprint !== keyFingerprint(publicKey)) {
          throw new Problem(
            'unauthorized',
            'JWK embedded in revocation request must be the same public key as the cert',
          );
        }
        certificates.revokeByKey(record, publicKey, nowMs);
        break;
    }
    counters.add('revocations');
    return { status: 200, content: { kind: 'empty' } };
  }

  #checkRight(account: Account, record: CertificateRecord, nowMs: number): void {
    if (record.accountId === account.id) return;
    const isProved = record.names.every((name) => this.#parts.authorizations.isProved(account.id, name, nowMs));
    if (!isProved) {
      throw new Problem('unauthorized', 'The account does not hold an authorization for all names in the certificate');
    }
  }
}
