/** One appliance's order: begun, disturbed, and as it has to end. Only for tests. */
import { expect } from 'vitest';
import { DEVICE, KEY_HASH, honest, requestFor } from './test-life.ts';
import type { Life, Witness, World } from './test-life.ts';

/** A life with the request of one appliance. */
export async function begin(world: World, witness: Witness = honest): Promise<Life> {
  const life = world.live(witness);
  // No new order may begin while a record of the former one is up.
  world.authority.onNewOrder = () => expect(world.board.records).toEqual([]);
  await life.issuance.start();
  void life.issuance.request(requestFor());
  return life;
}

/** Fails what `isChosen`, the first `times` times, before or after it was done. */
export function failing(
  isChosen: (name: string, act: number) => boolean,
  error: Error,
  { times = 1, isDone = false } = {},
): Witness {
  let acts = 0;
  let failures = 0;
  return async (name, act) => {
    acts += 1;
    if (failures >= times || !isChosen(name, acts)) return await act();
    failures += 1;
    if (isDone) await act();
    throw error;
  };
}

export async function expectIssued(world: World, { issued }: Life): Promise<void> {
  expect(issued).toHaveLength(1);
  expect(world.board.records).toEqual([]);
  const { openOrder, latestCertificate } = await world.store.orders.dossier(DEVICE);
  expect(openOrder).toBeUndefined();
  const [{ chain, fingerprint, serial } = expect.fail()] = issued;
  expect(latestCertificate).toMatchObject({ fingerprint, serial, keyHash: KEY_HASH });
  expect(await world.store.orders.chain(DEVICE, fingerprint)).toBe(chain);
}
