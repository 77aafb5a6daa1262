/** Real X.509: PKCS#10 requests in, certificates signed by the hierarchy out. */
import { generateKeyPairSync } from 'node:crypto';
import type { Random } from '@lanyard/sdk/kernel';
import type { CertificateDraft, CertificateMaker } from './certificate-maker.ts';
import { keyFingerprint } from './good-key.ts';
import { Issuer, type Hierarchy } from './issuer.ts';
import { readSigningRequest } from './signing-request.ts';

export class X509Maker implements CertificateMaker {
  readonly #issuer: Issuer;

  constructor(options: { readonly random: Random; readonly hierarchy: Hierarchy }) {
    this.#issuer = new Issuer(options);
  }

  readRequest(der: Uint8Array): CertificateDraft {
    const { names, publicKey, keyKind } = readSigningRequest(der);
    return {
      names,
      keyFingerprint: keyFingerprint(publicKey),
      make: ({ isForOtherKey, ...content }) =>
        this.#issuer.issue({
          ...content,
          ...(isForOtherKey ? otherKey() : { publicKey, keyKind }),
        }),
    };
  }
}

function otherKey() {
  return { publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, keyKind: 'P-256' } as const;
}
