import { describe, expect, test } from 'vitest';
import type { RefusedKey } from '../certificates/refused-keys.ts';
import { createRefusedKeysApi } from './refused-keys-api.ts';

const HASH = 'ab'.repeat(32);

function bench(known: readonly RefusedKey[] = []) {
  const calls: unknown[] = [];
  const api = createRefusedKeysApi({
    async refuse(keyHash) {
      calls.push(keyHash);
      return known.every((key) => key.keyHash !== keyHash);
    },
    async list(page) {
      calls.push(page);
      return known;
    },
  });
  api.onError((error, context) => context.text(error.message, 400));
  return { api, calls };
}

function refuse(body: string): RequestInit {
  return { method: 'POST', body };
}

describe('a key', () => {
  test('is refused, and it is told whether it was', async () => {
    const { api, calls } = bench([{ keyHash: HASH, reason: 'operator', sinceMs: 0 }]);
    const again = await api.request('/v1/refused-keys', refuse(JSON.stringify({ keyHash: HASH })));
    expect([again.status, await again.json()]).toEqual([200, { isNew: false }]);
    const fresh = await api.request('/v1/refused-keys', refuse(JSON.stringify({ keyHash: 'cd'.repeat(32) })));
    expect([fresh.status, await fresh.json()]).toEqual([201, { isNew: true }]);
    expect(calls).toEqual([HASH, 'cd'.repeat(32)]);
  });

  test.each(['', '{}', '{"keyHash":"AB"}', `{"keyHash":"${HASH}0"}`, `{"keyHash":"${HASH}","reason":"x"}`])(
    'is not refused by %s',
    async (body) => {
      const { api, calls } = bench();
      expect((await api.request('/v1/refused-keys', refuse(body))).status).toBe(400);
      expect(calls).toEqual([]);
    },
  );
});

test('the list is a page, with times in ISO 8601', async () => {
  const { api, calls } = bench([{ keyHash: HASH, reason: 'key-compromise', sinceMs: 0 }]);
  const answer = await api.request(`/v1/refused-keys?limit=2&after=${HASH}`);
  expect(await answer.json()).toEqual({
    keys: [{ keyHash: HASH, reason: 'key-compromise', since: '1970-01-01T00:00:00.000Z' }],
  });
  expect(calls).toEqual([{ after: HASH, limit: 2 }]);
  expect((await api.request('/v1/refused-keys?limit=0')).status).toBe(400);
});
