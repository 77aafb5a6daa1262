/** The cryptography that pkijs runs on: the platform's WebCrypto when it is complete, else a portable one. */
import { CryptoEngine } from 'pkijs';

interface Runtime {
  readonly crypto?: { readonly subtle?: Partial<Record<(typeof NEEDED)[number], unknown>> };
}

const NEEDED = ['digest', 'exportKey', 'generateKey', 'importKey', 'sign', 'verify'] as const;

let chosen: Promise<CryptoEngine> | undefined;

/** The engine for every key and signing request; chosen once. */
export function cryptoEngine(): Promise<CryptoEngine> {
  chosen ??= hasCompleteCrypto(globalThis) ? Promise.resolve(platformEngine()) : portableEngine();
  return chosen;
}

/** Fast: OpenSSL by way of Node. */
export function platformEngine(): CryptoEngine {
  return new CryptoEngine({ name: 'platform', crypto: globalThis.crypto });
}

/** For runtimes that were built without WebCrypto; loaded only there, it is 300 kB. */
export async function portableEngine(): Promise<CryptoEngine> {
  const { Crypto } = await import('@peculiar/webcrypto');
  return new CryptoEngine({ name: 'portable', crypto: new Crypto() });
}

/** Whether the runtime has every operation of WebCrypto that Lanyard needs. */
export function hasCompleteCrypto(runtime: Runtime): boolean {
  const subtle = runtime.crypto?.subtle;
  return subtle !== undefined && NEEDED.every((operation) => typeof subtle[operation] === 'function');
}
