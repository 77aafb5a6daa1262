/** Every invariant that is watched. */
import { addressFollows } from './address-follows.ts';
import { flashBudget } from './flash-budget.ts';
import { installsOnlyWhatFits } from './installs-only-what-fits.ts';
import type { Invariant, InvariantParts } from './invariant.ts';
import { keysStay } from './keys-stay.ts';
import { noChallengeLeft } from './no-challenge-left.ts';
import { noLiveApplianceExpires } from './no-live-appliance-expires.ts';
import { noSecondOrder } from './no-second-order.ts';
import { noTightLoop } from './no-tight-loop.ts';
import { oneOpenOrder } from './one-open-order.ts';
import { onlyBoundNames } from './only-bound-names.ts';
import { ownMessagesOnly } from './own-messages-only.ts';
import { replacedBeforeRevoked } from './replaced-before-revoked.ts';
import { retriesAreTold } from './retries-are-told.ts';
import { sparesAbsentCa } from './spares-absent-ca.ts';
import { withinCaLimits } from './within-ca-limits.ts';

export const INVARIANTS: Readonly<Record<string, (parts: InvariantParts) => Invariant>> = {
  'no-live-appliance-expires': noLiveApplianceExpires,
  'replaced-before-revoked': replacedBeforeRevoked,
  'one-open-order': oneOpenOrder,
  'no-second-order': noSecondOrder,
  'within-ca-limits': withinCaLimits,
  'no-tight-loop': noTightLoop,
  'spares-absent-ca': sparesAbsentCa,
  'address-follows': addressFollows,
  'own-messages-only': ownMessagesOnly,
  'keys-stay': keysStay,
  'installs-only-what-fits': installsOnlyWhatFits,
  'flash-budget': flashBudget,
  'no-challenge-left': noChallengeLeft,
  'only-bound-names': onlyBoundNames,
  'retries-are-told': retriesAreTold,
};
