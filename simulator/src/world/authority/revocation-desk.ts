/** revokeCert as JSON (RFC 8555 §7.6). */
import { z } from 'zod';
import type { Certificates } from './certificates.ts';
import type { Answer } from './exchange.ts';
import type { SignedRequest } from './gatekeeper.ts';
import { parse, parseJson } from './jws.ts';
import type { Revoking } from './revoking.ts';

export interface RevocationDeskOptions {
  readonly certificates: Certificates;
  readonly revoking: Revoking;
}

const Revocation = z.object({ certificate: z.base64url(), reason: z.int().optional() });

export class RevocationDesk {
  readonly #parts: RevocationDeskOptions;

  constructor(options: RevocationDeskOptions) {
    this.#parts = options;
  }

  revoke(request: SignedRequest): Answer {
    const { certificates, revoking } = this.#parts;
    const wanted = parse(Revocation, parseJson(request.payload, 'revokeCert request'), 'revokeCert request');
    const { record, publicKey } = certificates.find(Buffer.from(wanted.certificate, 'base64url'));
    const { signer } = request;
    switch (signer.kind) {
      case 'account':
        revoking.byAccount(signer.account, record, wanted.reason);
        break;
      case 'key':
        revoking.byKey(signer.key.fingerprint, record, publicKey);
        break;
    }
    return { status: 200, content: { kind: 'empty' } };
  }
}
