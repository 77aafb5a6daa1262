/** How large anything on the wire may be. Both sides refuse what is larger before looking into it. */
export const LIMITS = {
  /** A whole MQTT payload. A chain of three P-256 certificates is about 4 kB as PEM; RSA chains reach 8 kB. */
  bodyBytes: 16 * 1024,
  /** DER of a signing request. One P-256 request with two names is under 400 bytes; RSA 4096 under 1,500. */
  csrBytes: 4 * 1024,
  /** PEM of a certificate chain; leaves room for the rest of the body. */
  chainCharacters: 14 * 1024,
  /** Names in one certificate: the label and its wildcard, and room for one name per network interface. */
  names: 8,
  /** RFC 1035 §2.3.4. */
  nameCharacters: 253,
  /** Addresses that one appliance may report. */
  addresses: 32,
  /** Interface names; Linux allows 15, Windows much more. */
  interfaceCharacters: 64,
  /** Correlation ids, boot ids, references. */
  idCharacters: 64,
  /** SDK version, firmware version, model. */
  labelCharacters: 64,
  /** Text for people. */
  messageCharacters: 512,
  /** Where a CA takes revocations; Let's Encrypt's has 52. */
  urlCharacters: 512,
  /** A CA's nonce; the longest seen in the wild have some 60. */
  nonceCharacters: 256,
  /** Protected header of a JWS in base64url: key, nonce and URL at their longest are 980 bytes. */
  jwsHeaderCharacters: 2 * 1024,
  /** Payload of a JWS in base64url: a leaf of 4 kB, in base64url itself. Leaves for eight names are under 2 kB. */
  jwsPayloadCharacters: 8 * 1024,
  /** Longest wait that one side may ask of the other: 30 days. */
  waitSeconds: 30 * 24 * 60 * 60,
} as const;
