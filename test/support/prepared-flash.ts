/** The flash of an appliance that has been in use: an identity from the factory and a certificate in the vault. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { createPrivateCa, PrivateCa } from '../../broker/src/pki/private-ca.ts';
import { x509Reader } from '../../sdk/src/certificate/certificate-reader.ts';
import { CertificateStore } from '../../sdk/src/certificate/certificate-store.ts';
import { readCredential } from '../../sdk/src/certificate/credential.ts';
import { TrustedRoots } from '../../sdk/src/certificate/trusted-roots.ts';
import { fileVault } from '../../sdk/src/vault/file-vault.ts';

export interface PreparedFlash {
  readonly identity: string;
  readonly vault: string;
  /** What the stored certificate is for. */
  readonly name: string;
  /** The root that issued it. */
  readonly rootPem: string;
}

export async function prepareFlash(
  directory: string,
  options: { readonly hasCertificate: boolean },
): Promise<PreparedFlash> {
  const world = { clock: systemClock, random: systemRandom };
  const authority = new PrivateCa(createPrivateCa('Root of a test', world), world);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  const [identity, vault, name] = [join(directory, 'identity'), join(directory, 'vault'), 'prepared.lanyard.test'];
  await mkdir(identity, { recursive: true, mode: 0o700 });
  const keyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await writeFile(join(identity, 'identity.key'), keyPem, { mode: 0o600 });
  await writeFile(join(identity, 'identity.crt'), await authority.issueIdentity('prepared-flash', { spki }));
  await writeFile(join(identity, 'broker-root.crt'), authority.rootPem);
  if (options.hasCertificate) {
    const issued = await authority.issueServer([name]);
    const reader = x509Reader(new TrustedRoots([authority.rootPem]));
    const store = new CertificateStore({ vault: fileVault(vault), reader });
    await store.install(readCredential(issued.keyPem, issued.certificatePem));
  }
  return { identity, vault, name, rootPem: authority.rootPem };
}
