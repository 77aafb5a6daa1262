/** What an appliance hears of an order that takes its time. */
import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import { encodeDown, decodeBody, parseDown } from '@lanyard/sdk/protocol';
import type { DownMessage } from '@lanyard/sdk/protocol';
import { csrOf } from './certificates/authority-double.ts';
import { nameOf } from './fleet/appliance.ts';
import { KEY, bench, hash, problemsIn, todoOf } from './test-conversation.ts';

const MINUTE_MS = 60_000;

describe('an order that is late', () => {
  const SECRET = 'postgres://admin:hunter2@db/secret';
  const failures = [
    {
      error: new LanyardError('authority-unreachable', { message: 'no route' }),
      code: 'ca-unavailable',
      seconds: [3, 5],
    },
    {
      error: new LanyardError('authority-rate-limited', { retryAfterMs: 90_500 }),
      code: 'ca-unavailable',
      seconds: [91, 91],
    },
    { error: new LanyardError('authority-rejected-name'), code: 'ca-refused', seconds: [86_400, 86_400] },
    { error: new LanyardError('authority-validation-failed'), code: 'validation-failed', seconds: [60, 60] },
    { error: new LanyardError('dns-serving-failed', { message: SECRET }), code: 'internal', seconds: [3, 5] },
    { error: new TypeError(SECRET), code: 'internal', seconds: [60, 60] },
  ] as const;

  for (const failure of failures) {
    test(`tells the appliance why and when it goes on: ${failure.code} for ${'code' in failure.error ? failure.error.code : 'a defect'}`, async () => {
      const { ask, sent, clock, store } = await bench({
        witness: async (name, act) => {
          if (name === 'authority.newOrder') throw failure.error;
          return await act();
        },
      });
      await ask();
      await clock.advance(0);
      const [problem] = problemsIn(sent);
      const [order] = await store.orders.openOrders();
      expect(problem).toMatchObject({ code: failure.code, ref: order?.id });
      const [least, most] = failure.seconds;
      expect(problem?.retryAfterSeconds).toBeGreaterThanOrEqual(least);
      expect(problem?.retryAfterSeconds).toBeLessThanOrEqual(most);
      expect(JSON.stringify(sent)).not.toContain('hunter2');
      const isReadable = sent.every((message) => {
        const body = decodeBody(encodeDown(message));
        return body.ok && parseDown(message.kind, body.value).ok;
      });
      expect(isReadable).toBe(true);
    });
  }

  test('is not called late when only its record is slow to go', async () => {
    const { greet, ask, sent, clock } = await bench({
      witness: async (name, act) => {
        if (name === 'board.clear') throw new LanyardError('dns-serving-failed');
        return await act();
      },
    });
    await greet();
    await ask();
    await clock.advance(MINUTE_MS);
    expect(problemsIn(sent)).toEqual([]);
    expect(sent.map(({ kind }) => kind)).toEqual(['certificate']);
    // Nor does whoever asks, or was away, have to wait for that.
    expect(await ask(undefined, KEY, 'csr-2')).toMatchObject([{ certificate: { kind: 'issued', id: 'csr-2' } }]);
    expect(todoOf(await greet({ pendingKeyHash: KEY }))?.kind).toBe('install');
  });

  test('says so in at most as many characters as the wire allows', async () => {
    const { conversation } = await bench();
    const message = conversation.problem('authority-refused', 'x'.repeat(10_000), { ref: 'r' });
    expect(message).toMatchObject({ problem: { message: 'x'.repeat(512) } });
  });
});

function etaIn(messages: readonly DownMessage[]): number | undefined {
  const [message] = messages;
  const isAccepted = message?.kind === 'certificate' && message.certificate.kind === 'accepted';
  return isAccepted ? message.certificate.etaSeconds : undefined;
}

/** Another appliance has just taken the last one of the CA's limit. */
async function exhausted(periodMs: number) {
  const all = await bench({ limits: { 'new-orders': { burst: 1, periodMs } } });
  const other = nameOf(await all.fleet.enrol('appliance-2', 'identity-key-2'));
  const der = csrOf({ names: [other], keyHash: hash('key of another') });
  await all.conversation.receive('appliance-2', { kind: 'csr', csr: { id: 'c', der } });
  await all.clock.advance(0);
  await all.ask();
  await all.clock.advance(0);
  return all;
}

describe('when the certificate may be expected', () => {
  test('is when the budget has room, and then the usual time', async () => {
    const { ask, clock } = await exhausted(600_000);
    // Ten minutes, and two in which the other one may arrive.
    expect(etaIn(await ask(undefined, KEY, 'csr-2'))).toBe(12 * 60 + 10);
    await clock.advance(11 * MINUTE_MS);
    expect(etaIn(await ask(undefined, KEY, 'csr-3'))).toBe(60 + 10);
  });

  test('is never more than six hours away, so that an appliance looks in', async () => {
    const { ask } = await exhausted(7 * 24 * 60 * MINUTE_MS);
    expect(etaIn(await ask(undefined, KEY, 'csr-2'))).toBe(6 * 3_600);
  });

  test('is when the order is tried again, after a failure', async () => {
    const { ask, clock } = await bench({
      witness: async (name, act) => {
        if (name === 'authority.newOrder') throw new LanyardError('authority-validation-failed');
        return await act();
      },
    });
    await ask();
    await clock.advance(0);
    expect(etaIn(await ask(undefined, KEY, 'csr-2'))).toBe(60 + 10);
  });
});
