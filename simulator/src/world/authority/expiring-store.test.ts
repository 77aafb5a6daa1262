import { expect, test } from 'vitest';
import { ExpiringStore, type Expiring } from './expiring-store.ts';

test('what ended is forgotten when something new comes, and its index with it', () => {
  const forgotten: string[] = [];
  const store = new ExpiringStore<Expiring>({ limit: 10, onForgotten: ({ id }) => forgotten.push(id) });
  store.add({ id: 'a', expiresAtMs: 10 }, 0);
  store.add({ id: 'b', expiresAtMs: 20 }, 10);
  expect([store.get('a'), store.get('b')?.id, forgotten]).toEqual([undefined, 'b', ['a']]);
});

test('beyond the limit nothing is added, until something ended', () => {
  const store = new ExpiringStore<Expiring>({ limit: 1 });
  store.add({ id: 'a', expiresAtMs: 10 }, 0);
  expect(() => store.add({ id: 'b', expiresAtMs: 20 }, 9)).toThrow(expect.objectContaining({ status: 503 }));
  store.add({ id: 'b', expiresAtMs: 20 }, 10);
  expect(store.size).toBe(1);
});

test('an update of what was forgotten brings it not back', () => {
  const store = new ExpiringStore<Expiring>({ limit: 1 });
  store.update({ id: 'a', expiresAtMs: 10 });
  expect(store.size).toBe(0);
});

test('what is updated moves behind the others and does not hide them', () => {
  const store = new ExpiringStore<Expiring>({ limit: 3 });
  store.add({ id: 'a', expiresAtMs: 10 }, 0);
  store.add({ id: 'b', expiresAtMs: 20 }, 0);
  store.update({ id: 'a', expiresAtMs: 100 });
  store.add({ id: 'c', expiresAtMs: 30 }, 20);
  expect([store.get('a')?.id, store.get('b'), store.get('c')?.id]).toEqual(['a', undefined, 'c']);
  store.add({ id: 'd', expiresAtMs: 200 }, 100);
  expect(store.size).toBe(1);
  store.add({ id: 'e', expiresAtMs: 300 }, 250);
  expect([store.size, store.get('e')?.id]).toEqual([1, 'e']);
});
