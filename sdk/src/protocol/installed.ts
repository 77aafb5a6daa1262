/** `installed`: the certificate is safe on disk and served. Only this stops the broker from sending it again. */
import { id, sha256 } from './fields.ts';
import { object, parseWith } from './shape.ts';
import type { Parsed } from './shape.ts';

export interface Installed {
  readonly id: string;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
}

const shape = object({ id, fingerprint: sha256 });

export function parseInstalled(value: unknown): Parsed<Installed> {
  return parseWith(shape, value);
}
