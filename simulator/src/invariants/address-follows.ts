/** P2: an appliance's name leads to the appliance's address, and follows it when that changes. */
import { DeadlineQueue } from './deadline-queue.ts';
import type { Invariant, InvariantParts } from './invariant.ts';

const MINUTE_MS = 60_000;

/**
 * A line that died in silence is noticed after 3 minutes; the broker is tried again after 10 at the latest
 * (sdk/src/link/reconnect-schedule.ts); twice that for an attempt that meets the broker's restart. The time over which
 * the operator spreads those who come back is on top.
 */
const PROMISE_MS = 30 * MINUTE_MS;
/** Each hello that is lost doubles the pause before the next, from 30 seconds up to half an hour. */
const PROMISE_WHEN_LOSSY_MS = 180 * MINUTE_MS;

export function addressFollows({ facts, violate }: InvariantParts): Invariant {
  const queue = new DeadlineQueue();
  /** Since when the name ought to lead there, epoch milliseconds; 0: nothing is to be looked at. */
  const sinceMs = new Float64Array(facts.appliances);
  const promiseMs = PROMISE_MS + facts.reconnectSpreadMs;

  function expect(appliance: number, nowMs: number): void {
    if (sinceMs[appliance] === 0) queue.push(appliance, nowMs + promiseMs);
    sinceMs[appliance] = nowMs;
  }

  /** Looked at again later, when it has had a fair chance. */
  function look(appliance: number, nowMs: number): 'later' | 'done' {
    // Switched off it cannot say where it is; looked at again when it is switched on.
    if (!facts.isOn(appliance) || facts.hasTwin(appliance)) return 'done';
    const inTouchMs = facts.inTouchSinceMs(appliance);
    const wantedMs = sinceMs[appliance] ?? 0;
    const patienceMs = facts.isLossy() ? PROMISE_WHEN_LOSSY_MS : promiseMs;
    if (inTouchMs === undefined || nowMs - Math.max(inTouchMs, wantedMs) < patienceMs) return 'later';
    const name = facts.nameOf(appliance);
    const found = name === undefined ? undefined : facts.addressRecords(name);
    if (found === undefined) return 'later';
    const address = facts.addressOf(appliance);
    if (found.length === 1 && found[0] === address) return 'done';
    const minutes = Math.round((nowMs - wantedMs) / MINUTE_MS);
    const where = found.length === 0 ? 'nowhere' : `to ${found.join(', ')}`;
    violate({ atMs: nowMs, appliance, what: `its name leads ${where}, ${minutes} min after it got ${address}` });
    return 'done';
  }

  return {
    name: 'address-follows',
    guards: 'P2',
    kinds: ['moved', 'powered'],
    onHappening(happening) {
      if (happening.kind === 'moved') expect(happening.appliance, happening.atMs);
      if (happening.kind === 'powered' && happening.isOn) expect(happening.appliance, happening.atMs);
    },
    onTime(nowMs) {
      for (let due = queue.takeDue(nowMs); due !== undefined; due = queue.takeDue(nowMs)) {
        if (look(due, nowMs) === 'later') queue.push(due, nowMs + promiseMs);
        else sinceMs[due] = 0;
      }
    },
  };
}
