/** Whose limits are kept, from the settings: named, or told from the CA's host. */
import { termsOf } from './certificates/budget/presets.ts';
import type { PresetName } from './certificates/budget/presets.ts';
import type { AuthorityTerms } from './certificates/budget/rate-limit.ts';
import type { CaSettings } from './config.ts';

/** The hosts of the CAs' directories. */
const PRESET_OF_HOST: Readonly<Record<string, PresetName>> = {
  'acme-v02.api.letsencrypt.org': 'letsencrypt',
  'acme-staging-v02.api.letsencrypt.org': 'letsencrypt-staging',
  'acme.zerossl.com': 'zerossl',
  'dv.acme-v02.api.pki.goog': 'google',
  'dv.acme-v02.test-api.pki.goog': 'google',
};

export function authorityTerms({ directory, limits, overrides }: CaSettings): AuthorityTerms {
  const preset = limits ?? PRESET_OF_HOST[new URL(directory).hostname] ?? 'custom';
  return termsOf({ preset, id: directory, overrides });
}
