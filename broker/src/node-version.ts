/** Which Node the broker runs on, and why not an earlier one. */
import { LanyardError } from '@lanyard/sdk/kernel';

/** The first with SQLite 3.51.3; before it, two connections to one file in WAL mode can corrupt it. */
const OLDEST = [24, 15] as const;

/** @throws LanyardError `node-too-old`. @param version for instance `24.21.0`. */
export function checkNodeVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isRecent = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  if (isRecent) return;
  const message = `the broker needs Node ${OLDEST.join('.')} or later, this is ${version}: earlier ones bundle an SQLite that can corrupt its database`;
  throw new LanyardError('node-too-old', { message });
}
