import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { describe, expect, test } from 'vitest';
import type { AcmeDnsAccount } from './account.ts';
import { AcmeDnsAccounts } from './acme-dns-accounts.ts';
import type { Registration } from './acme-dns-accounts.ts';

const APEX = 'acme-dns.devices.example.com';
const HERE = '192.0.2.1';

/** A disk and a zone that fail as told. */
class World {
  readonly rows = new Map<string, AcmeDnsAccount>();
  readonly zone = new Map<string, readonly string[]>();
  failure: LanyardError | undefined;
  /** What happens while a text is being stored. */
  meanwhile: (() => Promise<void>) | undefined;

  readonly store = {
    list: async (): Promise<readonly AcmeDnsAccount[]> => [...this.rows.values()],
    add: async (account: AcmeDnsAccount): Promise<void> => {
      this.#fail();
      this.rows.set(account.label, account);
    },
    noteTexts: async (label: string, texts: readonly string[], lastUpdateAtMs: number): Promise<void> => {
      this.#fail();
      await this.meanwhile?.();
      const row = this.rows.get(label);
      if (row) this.rows.set(label, { ...row, texts, lastUpdateAtMs });
    },
    remove: async (label: string): Promise<void> => void this.rows.delete(label),
  };

  readonly board = {
    setTexts: async (name: string, texts: readonly string[]): Promise<void> => {
      this.#fail();
      this.zone.set(name, texts);
    },
  };

  #fail(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
  }
}

async function bench({ world = new World(), mostAccounts = 3, seed = 1 } = {}) {
  const { store, board } = world;
  const clock = new VirtualClock();
  const parts = { store, board, apex: APEX, mostAccounts, clock, random: seededRandom(seed), log: silentLogger };
  const accounts = new AcmeDnsAccounts(parts);
  await accounts.start();
  const open = ({ username, password }: Registration, from = HERE) =>
    accounts.authenticate({ username, password, from });
  const update = async (registration: Registration, text: string): Promise<void> => {
    const account = open(registration);
    if (account === undefined) throw new Error('not admitted');
    await accounts.update(account, text);
  };
  return { world, accounts, open, update, clock };
}

describe('registering', () => {
  test('gives credentials for one name, whose password is stored nowhere', async () => {
    const { world, accounts, open } = await bench();
    const made = await accounts.register(['192.0.2.0/24']);
    expect(made.name).toBe(`${made.label}.${APEX}`);
    expect(made.allowFrom).toEqual(['192.0.2.0/24']);
    expect(open(made)?.label).toBe(made.label);
    expect(JSON.stringify([...world.rows.values(), ...accounts.list()])).not.toContain(made.password);
    expect(JSON.stringify(accounts.list())).not.toContain('passwordHash');
    expect(world.zone.size).toBe(0);
  });

  test('survives a restart', async () => {
    const { world, accounts, update } = await bench();
    const made = await accounts.register([]);
    await update(made, 'one');
    const again = await bench({ world });
    await again.update(made, 'two');
    expect(world.zone.get(made.name)).toEqual(['two', 'one']);
  });

  test('ends at so many accounts, also when all come at once, and goes on when one is gone', async () => {
    const { accounts } = await bench({ mostAccounts: 2 });
    const made = await Promise.allSettled([1, 2, 3, 4].map(() => accounts.register([])));
    expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(made[2]).toMatchObject({ reason: { code: 'acme-dns-full' } });
    await accounts.remove(accounts.list()[0]?.label ?? '');
    expect(await accounts.register([])).toBeDefined();
  });

  test('that could not be stored has not happened', async () => {
    const { world, accounts } = await bench({ mostAccounts: 1 });
    world.failure = new LanyardError('store-failed');
    await expect(accounts.register([])).rejects.toMatchObject({ code: 'store-failed' });
    expect(accounts.list()).toEqual([]);
    expect(await accounts.register([])).toBeDefined();
  });

  test.each([[['everywhere']], [['192.0.2.0/24', '10.0.0.0/99']], [Array.from({ length: 33 }, () => '10.0.0.0/8')]])(
    'is refused from %j',
    async (allowFrom) => {
      const { accounts } = await bench();
      await expect(accounts.register(allowFrom)).rejects.toMatchObject({ code: 'admin-request-invalid' });
    },
  );

  test('takes IPv6 in brackets, as acme-dns does', async () => {
    const { accounts, open } = await bench();
    const made = await accounts.register(['[2001:db8::]/32']);
    expect(made.allowFrom).toEqual(['2001:db8::/32']);
    expect(open(made, '2001:db8::1')).toBeDefined();
  });
});

test.each<[string, Partial<Registration>, string, boolean]>([
  ['the right credentials', {}, HERE, true],
  ['another address', {}, '198.51.100.1', false],
  ['no address', {}, '', false],
  ['a wrong password', { password: 'x'.repeat(40) }, HERE, false],
  ['a user that is not there', { username: 'nobody' }, HERE, false],
])('%s', async (_what, change, from, isAdmitted) => {
  const { accounts, open } = await bench();
  const made = await accounts.register(['192.0.2.0/24']);
  expect(open({ ...made, ...change }, from) !== undefined).toBe(isAdmitted);
});

describe('texts', () => {
  test('are the two newest of the name, and of no other', async () => {
    const { world, accounts, update } = await bench();
    const [made, other] = [await accounts.register([]), await accounts.register([])];
    await update(other, 'x');
    for (const text of ['a', 'b', 'c']) await update(made, text);
    expect(Object.fromEntries(world.zone)).toEqual({ [made.name]: ['c', 'b'], [other.name]: ['x'] });
  });

  test('that come at once are both there', async () => {
    const { world, accounts, update } = await bench();
    const made = await accounts.register([]);
    await Promise.all([update(made, 'a'), update(made, 'b')]);
    expect(world.zone.get(made.name)).toEqual(['b', 'a']);
    expect(world.rows.get(made.label)?.texts).toEqual(['b', 'a']);
  });

  test('whose storing failed are there when they are repeated', async () => {
    const { world, accounts, update } = await bench();
    const made = await accounts.register([]);
    await update(made, 'a');
    world.failure = new LanyardError('store-failed');
    await expect(update(made, 'b')).rejects.toMatchObject({ code: 'store-failed' });
    expect(world.zone.get(made.name)).toEqual(['a']);
    await update(made, 'b');
    expect(world.zone.get(made.name)).toEqual(['b', 'a']);
  });
});

describe('removing', () => {
  test('ends the account and takes its texts down', async () => {
    const { world, accounts, open, update } = await bench();
    const made = await accounts.register([]);
    await update(made, 'a');
    await accounts.remove(made.label);
    expect(open(made)).toBeUndefined();
    expect(world.zone.get(made.name)).toEqual([]);
    expect(world.rows.size).toBe(0);
    await expect(accounts.remove(made.label)).rejects.toMatchObject({ code: 'acme-dns-account-unknown' });
  });

  test('leaves nothing of an update that was under way', async () => {
    const { world, accounts, update } = await bench();
    const made = await accounts.register([]);
    world.meanwhile = () => accounts.remove(made.label);
    await update(made, 'a');
    expect(world.zone.get(made.name)).toEqual([]);
    expect(world.rows.size).toBe(0);
  });

  test('that failed can be done again', async () => {
    const { world, accounts, update } = await bench();
    const made = await accounts.register([]);
    await update(made, 'a');
    world.failure = new LanyardError('dns-serving-failed');
    await expect(accounts.remove(made.label)).rejects.toMatchObject({ code: 'dns-serving-failed' });
    await accounts.remove(made.label);
    expect(world.rows.size).toBe(0);
  });
});
