/** The ways to prove a name that a CA can be asked for, by their names in ACME. */
export const CHALLENGE_KINDS = ['dns-01', 'dns-persist-01', 'dns-account-01', 'http-01'] as const;

/**
 * RFC 8555 §8.3 and §8.4; `dns-persist-01` as in draft-ietf-acme-dns-persist-01, `dns-account-01` as in
 * draft-ietf-acme-dns-account-label-02.
 */
export type ChallengeKind = (typeof CHALLENGE_KINDS)[number];
