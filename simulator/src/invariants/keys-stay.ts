/** P1: no private key leaves its appliance, in whatever wrapping. */
import type { Invariant, InvariantParts } from './invariant.ts';

/** In every PEM header of a private key (RFC 7468 §10, §11 and SEC 1), and in the keys of a run without cryptography. */
const MARK = 'PRIVATE KEY';

/** What precedes the secret in each P-256 key as PKCS #8 (RFC 5958): version, id-ecPublicKey, prime256v1, ECPrivateKey. */
const PKCS8_P256 = Buffer.from('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex');

/** One pass over the payload: eight searches one after the other cost more than everything else that is watched. */
const SECRET = new RegExp(
  [MARK, ...inBase64(Buffer.from(MARK)), ...inBase64(PKCS8_P256), PKCS8_P256.toString('hex')].join('|'),
);

export function keysStay({ violate }: Pick<InvariantParts, 'violate'>): Invariant {
  return {
    name: 'keys-stay',
    guards: 'P1',
    onUp({ atMs, appliance, kind, payload }) {
      const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1');
      if (!SECRET.test(text)) return;
      violate({ atMs, appliance, what: `a private key is in its ${kind}` });
    },
  };
}

/**
 * How bytes look in base64 wherever they begin: the digits at the edges depend on the neighbours and are left out.
 * None of those here has one of the two digits in which base64 and base64url differ.
 */
function inBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url');
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    return digits.slice(first, last);
  });
}
