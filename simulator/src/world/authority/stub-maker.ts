/** Certificates without cryptography, of the size that real ones have: for runs of millions, and for tests. */
import { randomHex, type Random } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import type { CertificateContent, CertificateDraft, CertificateMaker, MadeCertificate } from './certificate-maker.ts';
import { Problem } from './problems.ts';

export interface StubRequest {
  readonly names: readonly string[];
  readonly keyFingerprint: string;
}

const StubCertificate = z.object({
  names: z.array(z.string()),
  notBeforeMs: z.number(),
  notAfterMs: z.number(),
  isForOtherKey: z.boolean(),
  serial: z.string(),
  keyFingerprint: z.string(),
});

/** What a stub certificate says. */
export type StubCertificate = z.infer<typeof StubCertificate>;

export class StubMaker implements CertificateMaker {
  readonly #random: Random;

  constructor(options: { readonly random: Random }) {
    this.#random = options.random;
  }

  readRequest(der: Uint8Array): CertificateDraft {
    const { names, keyFingerprint } = parseRequest(der);
    return { names, keyFingerprint, make: (content) => this.#make(content, keyFingerprint) };
  }

  #make(content: CertificateContent, keyFingerprint: string): MadeCertificate {
    // As the real ones begin: positive, of fixed length.
    const serial = `2c${randomHex(this.#random, 8)}`;
    const said: StubCertificate = {
      ...content,
      names: [...content.names],
      serial,
      keyFingerprint: content.isForOtherKey ? 'somebody else' : keyFingerprint,
    };
    return { serial, authorityKeyId: AUTHORITY_KEY_ID, der: encoder.encode(JSON.stringify(said)), issuerPem: '' };
  }
}

export function writeStubRequest(request: StubRequest): Uint8Array {
  return encoder.encode(`${request.keyFingerprint} ${request.names.join(' ')}`);
}

export function readStubCertificate(der: Uint8Array): StubCertificate {
  return StubCertificate.parse(JSON.parse(decoder.decode(der)));
}

const AUTHORITY_KEY_ID = Buffer.from('the key of the stub!').toString('base64url');

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function parseRequest(der: Uint8Array): StubRequest {
  const [keyFingerprint = '', ...names] = decoder.decode(der).split(' ');
  if (keyFingerprint === '' || names.length === 0) throw new Problem('badCSR', 'Error parsing certificate request');
  return { keyFingerprint, names: names.toSorted() };
}
