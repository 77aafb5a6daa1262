/** What OpenSSL thinks of a certificate: a second opinion to Node's, by the same library's own command. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from './peers.ts';
import { runToEnd } from './run-to-end.ts';
import type { Ended } from './run-to-end.ts';

export interface Verification {
  /** PEM, the leaf first. */
  readonly chain: string;
  readonly root: string;
  readonly name: string;
  /** Where its files may lie. */
  readonly directory: string;
}

/** `openssl verify` for a TLS server of that name; exit code 0 says that it is good. */
export async function opensslVerify({ chain, root, name, directory }: Verification): Promise<Ended> {
  const files = { chain: join(directory, `${name}.pem`), root: join(directory, `${name}.root.pem`) };
  await writeFile(files.chain, chain);
  await writeFile(files.root, root);
  const trust = ['-no-CApath', '-no-CAstore', '-CAfile', files.root, '-untrusted', files.chain];
  const wishes = ['-purpose', 'sslserver', '-x509_strict', '-verify_hostname', name];
  return await runToEnd(peer('openssl'), ['verify', ...trust, ...wishes, files.chain]);
}

/** The chain that a server shows for `name`, PEM, the leaf first. */
export async function shownChain(host: string, port: number, name: string): Promise<string> {
  const args = ['s_client', '-connect', `${host}:${port}`, '-servername', name, '-showcerts'];
  const { stdout } = await runToEnd(peer('openssl'), args);
  return (stdout.match(CERTIFICATES) ?? []).join('\n');
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
