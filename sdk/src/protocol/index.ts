/** Entry "@lanyard/sdk/protocol": everything that crosses the wire between appliance and broker. */
export { PROTOCOL_VERSION } from './version.ts';
export { LIMITS } from './limits.ts';
export {
  UP_KINDS,
  DOWN_KINDS,
  isDeviceId,
  upTopic,
  downTopic,
  downTopics,
  parseUpTopic,
  parseDownTopic,
} from './topics.ts';
export type { UpKind, DownKind, UpAddress, DownAddress } from './topics.ts';
export type { Parsed } from './shape.ts';
export { decodeBody } from './body.ts';
export { PROBLEMS, PROBLEM_CODES } from './problems.ts';
export type { ProblemCode, ProblemKind } from './problems.ts';
export { parseUp, encodeUp } from './up-message.ts';
export type { UpMessage } from './up-message.ts';
export { parseDown, encodeDown } from './down-message.ts';
export type { DownMessage } from './down-message.ts';
export type { Hello, HeldCertificate, ReportedAddress } from './hello.ts';
export { WITHHELD_REASONS, REQUEST_REASONS } from './state.ts';
export type { State, Todo, WithheldAddress } from './state.ts';
export type { Csr } from './csr.ts';
export type { Certificate, AcceptedRequest, IssuedCertificate } from './certificate.ts';
export type { Installed } from './installed.ts';
export type { Bye } from './bye.ts';
export type { Problem } from './problem.ts';
export type { FlattenedJws, RevocationWish, SignedRevocation } from './revocation.ts';
