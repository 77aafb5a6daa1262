/** What a reason is called in CRLs and revokeCert (RFC 5280 §5.3.1). */
import type { RevocationReason } from '../certificates/stored-certificate.ts';

export const REVOCATION_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  'key-compromise': 1,
  superseded: 4,
  cessation: 5,
};
