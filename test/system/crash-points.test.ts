/** The broker is killed before and after everything that an order does or stores, once each; nothing is lost or doubled. */
import type { VirtualAppliance } from '@lanyard/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CountingAuthority } from '../support/counting-authority.ts';
import { enoughFor, limitsOf, openDyingTown } from '../support/dying-town.ts';
import type { Allowance, DyingTown } from '../support/dying-town.ts';
import { PatientAuthority } from '../support/patient-authority.ts';
import { PatientPebble } from '../support/patient-pebble.ts';
import { arePeersMissing } from '../support/peers.ts';

/** In the order of an order's life: what the store, the CA and the zone are asked to do. See `die-at.ts`. */
const ACTS = [
  'accept',
  'place',
  'newOrder',
  'save authorizing',
  'authorization',
  'save publishing',
  'put',
  'change 1',
  'trigger',
  'order 1',
  'finalize',
  'order 2',
  'certificate',
  'complete clearing',
  'clear',
  'change 2',
  'save issued',
  'markInstalled',
] as const;

const POINTS = ACTS.flatMap((act) => [`before ${act}`, `after ${act}`]);

/** Where a renewal differs: it names its predecessor, and Boulder lets nobody replace the same one twice. */
const RENEWAL_POINTS = [
  'after place',
  'before newOrder',
  'after newOrder',
  'after save authorizing',
  'after complete clearing',
  'before markInstalled',
] as const;

/** The CA has the order, and the broker does not know. */
const ANSWER_IS_LOST: ReadonlySet<string> = new Set(['after newOrder', 'before save authorizing']);
/** It may be about to have the order: the broker pays once more, so that the CA never counts more than it did. */
const IS_PAID_TWICE: ReadonlySet<string> = new Set(['after place', 'before newOrder', ...ANSWER_IS_LOST]);

/** Renewals cost no new order, but each renews a first certificate. */
const FIRST_ONES = POINTS.length + RENEWAL_POINTS.length;
const PAID = FIRST_ONES + POINTS.filter((point) => IS_PAID_TWICE.has(point)).length;

/** Just enough; `failures` for orders that the CA may fail to verify. */
function allowanceFor(failures: number): Allowance {
  // The first one, and its renewal.
  return { newOrders: enoughFor(PAID + failures), ofDomain: FIRST_ONES, ofSet: 2 };
}

describe.each([
  {
    ca: 'the model CA',
    open: (allowance: Allowance) => new PatientAuthority(limitsOf(allowance)),
    failures: 0,
    // As at Let's Encrypt, the same wish is answered with the order that is open already.
    doubles: 0,
    isMissing: false,
  },
  {
    ca: 'Pebble',
    open: () => new PatientPebble(),
    // It waits two seconds for a name server that died before it looked.
    failures: 8,
    doubles: 1,
    isMissing: arePeersMissing('pebble'),
  },
])('at $ca, a broker that is killed', ({ open, failures, doubles, isMissing }) => {
  describe.skipIf(isMissing)('once', () => {
    const allowance = allowanceFor(failures);
    const authority: CountingAuthority = open(allowance);
    let dying: DyingTown;
    let newcomers: Iterator<VirtualAppliance>;

    beforeAll(async () => {
      dying = await openDyingTown({ appliances: FIRST_ONES, allowance, authority });
      newcomers = dying.town.appliances.values();
    });

    afterAll(() => dying?.close());

    test.each(POINTS)('%s of a first order', async (point) => {
      const appliance = newcomer();
      const issued = dying.certificates();
      const { orders } = await countedDuring(async () => {
        await dying.dieAt(point);
        await appliance.powerOn();
        await liveOn(appliance, issued + 1);
      });
      expect(orders).toBe(1 + (ANSWER_IS_LOST.has(point) ? doubles : 0));
    });

    test.each(RENEWAL_POINTS)('%s of a renewal', async (point) => {
      const appliance = newcomer();
      const issued = dying.certificates();
      await appliance.powerOn();
      await dying.settled([appliance], issued + 1);
      const first = appliance.certificate()?.fingerprint;
      const { orders } = await countedDuring(async () => {
        await dying.dieAt(point);
        // Its answer may die with the broker.
        await dying.town.admin.post(`/v1/appliances/${appliance.deviceId}/renew`).catch(() => undefined);
        await liveOn(appliance, issued + 2);
      });
      expect(appliance.certificate()?.fingerprint).not.toBe(first);
      expect(orders).toBe(1 + (ANSWER_IS_LOST.has(point) ? doubles : 0));
    });

    test('has spent what it may, and has asked for nothing that it may not', () => {
      const counted = authority.counted();
      expect(counted).toMatchObject({ certificates: FIRST_ONES + RENEWAL_POINTS.length, refusals: 0 });
      expect(dying.certificates()).toBe(counted.certificates);
      expect(dying.spentNewOrders()).toBe(PAID + counted.failedValidations);
      expect(dying.overdrawn()).toEqual([]);
      expect(dying.leftovers()).toEqual({ openOrders: 0, uninstalled: 0, challengeRecords: 0 });
    });

    function newcomer(): VirtualAppliance {
      const { value, done } = newcomers.next();
      if (done === true) throw new Error('there are too few appliances');
      return value;
    }

    /** It dies, is started again, and everything ends well. */
    async function liveOn(appliance: VirtualAppliance, certificates: number): Promise<void> {
      await dying.died();
      await dying.town.broker.start();
      // After a line that broke it would pause before it tries again, as it should.
      await appliance.reboot();
      await dying.settled([appliance], certificates);
      await appliance.shutDown();
    }

    /** What the CA was asked for meanwhile: one certificate, and no order too many but those that it could not verify. */
    async function countedDuring(work: () => Promise<void>): Promise<{ readonly orders: number }> {
      const before = authority.counted();
      await work();
      const after = authority.counted();
      expect(after.certificates - before.certificates).toBe(1);
      const failed = after.failedValidations - before.failedValidations;
      return { orders: after.orders - before.orders - failed };
    }
  });
});
