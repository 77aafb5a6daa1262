/** Limits as they are written on a command line: `new-orders=30000/3h,registered-domain=none`. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { LimitOverrides } from '../certificates/budget/presets.ts';
import { LIMIT_NAMES } from '../certificates/budget/rate-limit.ts';
import type { LimitName, RateLimit } from '../certificates/budget/rate-limit.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Slower would be never. */
const LONGEST_MS = 366 * 86_400_000;

/** @throws LanyardError `config-invalid`. */
export function readOverrides(text: string | undefined): LimitOverrides {
  if (text === undefined) return {};
  return Object.fromEntries(text.split(',').map((part) => readOne(part.trim())));
}

function readOne(part: string): readonly [LimitName, RateLimit | 'none'] {
  const [, given, value, burst, amount, unit] = /^([a-z-]+)=(none|(\d+)\/(\d*)([smhdw]))$/.exec(part) ?? [];
  const name = LIMIT_NAMES.find((known) => known === given);
  if (name === undefined) refuse(part);
  if (value === 'none') return [name, 'none'];
  const limit = { burst: Number(burst), periodMs: Number(amount || 1) * (UNIT_MS[unit ?? ''] ?? 0) };
  if (!(limit.burst >= 1 && Number.isSafeInteger(limit.burst))) refuse(part);
  if (!(limit.periodMs > 0 && limit.periodMs <= LONGEST_MS)) refuse(part);
  return [name, limit];
}

function refuse(part: string): never {
  const message = `--override: ${JSON.stringify(part)} must look like new-orders=30000/3h; limits are ${LIMIT_NAMES.join(', ')}`;
  throw new LanyardError('config-invalid', { message });
}
