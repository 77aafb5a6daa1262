/** Facts of a world in which there is nothing to find. */
import type { Facts } from './facts.ts';

export const NO_FACTS: Facts = {
  appliances: 0,
  nowMs: () => 0,
  nameOf: () => undefined,
  addressOf: () => '',
  isOn: () => false,
  inTouchSinceMs: () => undefined,
  hasTwin: () => false,
  isLossy: () => false,
  reconnectSpreadMs: 0,
  addressRecords: () => undefined,
  challengeRecords: () => 0,
  certificateOf: () => undefined,
  lastCertified: () => undefined,
  ordersAtOnce: 1,
  isAuthorityAway: () => false,
  renewalPollMs: () => 0,
  certifiesRightly: () => true,
};
