/** The order machine where another CA can be asked. */
import type { ErrorCode } from '@lanyard/sdk/kernel';
import { describe, expect, test } from 'vitest';
import { next } from './order-progress.ts';
import type { Detours, Order, OrderEvent, OrderState } from './order.ts';
import { DAY_MS, MINUTE_MS, NOW_MS, STATES, challenges, failed, orderIn } from './test-orders.ts';

const LEFT: OrderEvent = { kind: 'left', message: 'the CA is away' };
const COLLECTED: OrderEvent = { kind: 'collected', fingerprint: 'f' };

function refused(code: ErrorCode): OrderEvent {
  return { ...failed(code), hasOther: true };
}

function avoided(untilMs: number): Detours {
  return { avoids: [{ authority: 'ca', untilMs }] };
}

describe('where there is another CA', () => {
  const placement = { authority: 'ca', kind: 'new' } as const;
  const proving = (failures = 0, detours?: Detours): Order => ({
    ...orderIn(STATES.proving, failures),
    placement,
    ...(detours && { detours }),
  });

  const CASES: Record<string, [failures: number, event: OrderEvent, againMs: number, detours: Detours | undefined]> = {
    'what one refuses goes to another at once': [0, refused('authority-rejected-name'), 0, avoided(NOW_MS + DAY_MS)],
    'what nobody else may be asked is asked again the next day': [0, failed('authority-refused'), DAY_MS, undefined],
    'what fails once is tried again where it failed': [0, refused('authority-protocol'), MINUTE_MS, undefined],
    'what fails twice goes to another': [1, refused('authority-protocol'), 0, avoided(NOW_MS + 10 * MINUTE_MS)],
    'what could not be verified has to be rehearsed': [
      0,
      failed('authority-validation-failed'),
      MINUTE_MS,
      { rehearsal: 'due' },
    ],
  };
  test.each(Object.entries(CASES))('%s', (_what, [failures, event, againMs, detours]) => {
    const order = next(proving(failures), event, NOW_MS, 0);
    const aftermath = { kind: 'again', notBeforeMs: NOW_MS + againMs };
    expect(order).toMatchObject({ failures: failures + 1, state: { kind: 'clearing', challenges, aftermath } });
    expect(order.detours).toEqual(detours);
    expect(order).not.toHaveProperty('placement');
  });

  test('those that have refused add up, and are asked again in time', () => {
    const over = { authority: 'long-ago', untilMs: NOW_MS };
    const still = { authority: 'other', untilMs: NOW_MS + 1 };
    const earlier = { authority: 'ca', untilMs: NOW_MS + 1 };
    const { detours } = next(proving(0, { avoids: [over, still, earlier] }), refused('authority-refused'), NOW_MS, 0);
    expect(detours?.avoids).toEqual([still, { authority: 'ca', untilMs: NOW_MS + DAY_MS }]);
  });

  test('one that is left has not failed, and is begun anew at once', () => {
    for (const state of [STATES.publishing, STATES.finalizing, STATES.collecting]) {
      const left = next({ ...orderIn(state, 1), placement }, LEFT, NOW_MS, 0);
      const aftermath = { kind: 'again', notBeforeMs: NOW_MS };
      expect(left).toMatchObject({ failures: 1, state: { kind: 'clearing', challenges, aftermath } });
      expect(left).toMatchObject({ lastFailure: { code: 'authority-unreachable', message: 'the CA is away' } });
      expect(left).not.toHaveProperty('placement');
    }
  });

  test('what does not reach the CA in eight tries goes to another, unless a certificate may be on its way', () => {
    const lost = refused('authority-unreachable');
    const tried = (state: OrderState, tries: number): Order =>
      next({ ...orderIn('tries' in state ? { ...state, tries } : state), placement }, lost, NOW_MS, 0);
    for (const state of [STATES.ordering, STATES.authorizing, STATES.triggering, STATES.proving]) {
      expect(tried(state, 6).state.kind).toBe(state.kind);
      const left = tried(state, 7);
      expect(left).toMatchObject({ failures: 0, detours: avoided(NOW_MS + DAY_MS / 24) });
      expect(left.state.kind).toBe(state.kind === 'ordering' ? 'waiting' : 'clearing');
      expect(left).not.toHaveProperty('placement');
    }
    for (const state of [STATES.finalizing, STATES.collecting]) expect(tried(state, 7).state.kind).toBe(state.kind);
    const alone = next(orderIn({ ...STATES.ordering, tries: 7 }), failed('authority-unreachable'), NOW_MS, 0);
    expect(alone.state.kind).toBe('ordering');
  });

  test('a rehearsal that ends with a certificate is followed by the order that counts', () => {
    const rehearsing = { ...orderIn(STATES.collecting, 1), placement: { ...placement, isRehearsal: true as const } };
    const rehearsed = next({ ...rehearsing, detours: { rehearsal: 'due' } }, COLLECTED, NOW_MS, 0);
    const aftermath = { kind: 'again', notBeforeMs: NOW_MS };
    expect(rehearsed).toMatchObject({
      failures: 1,
      detours: { rehearsal: 'passed' },
      state: { kind: 'clearing', aftermath },
    });
    expect(rehearsed).not.toHaveProperty('placement');
  });
});
