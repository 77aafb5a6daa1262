/** What every store must do about accounts of the acme-dns API. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { AcmeDnsAccount } from '../../broker/src/acme-dns/account.ts';
import type { AccountStore } from '../../broker/src/acme-dns/account-store.ts';

const NOW_MS = 1_700_000_000_000.5;

export interface AcmeDnsAccountStoreUnderTest {
  readonly store: AccountStore;
  /** The same medium after a restart of the process. */
  reopen(): Promise<AccountStore>;
}

function accountOf(label: string, facts: Partial<AcmeDnsAccount> = {}): AcmeDnsAccount {
  return {
    label,
    username: `user-of-${label}`,
    passwordHash: 'ab'.repeat(32),
    allowFrom: ['192.0.2.0/24', '2001:db8::/32'],
    createdAtMs: NOW_MS,
    texts: [],
    ...facts,
  };
}

export function acmeDnsAccountStoreContract(name: string, make: () => Promise<AcmeDnsAccountStoreUnderTest>): void {
  describe(`acme-dns accounts in ${name}`, () => {
    let subject: AcmeDnsAccountStoreUnderTest;
    let store: AccountStore;

    beforeEach(async () => {
      subject = await make();
      store = subject.store;
    });

    test('there are none at first, and what is not there is neither changed nor removed', async () => {
      await store.noteTexts('one', ['text'], NOW_MS);
      await store.remove('one');
      expect(await store.list()).toEqual([]);
    });

    test('are there after a restart as they were, the oldest first', async () => {
      const used = accountOf('one', { texts: ['b', 'a'], lastUpdateAtMs: NOW_MS + 1, allowFrom: [] });
      await store.add(used);
      await store.add(accountOf('two', { createdAtMs: NOW_MS - 1 }));
      expect(await (await subject.reopen()).list()).toEqual([accountOf('two', { createdAtMs: NOW_MS - 1 }), used]);
    });

    test('texts are noted of one alone', async () => {
      await store.add(accountOf('one'));
      await store.add(accountOf('two'));
      await store.noteTexts('two', ['newest', 'older'], NOW_MS + 2);
      const changed = { ...accountOf('two'), texts: ['newest', 'older'], lastUpdateAtMs: NOW_MS + 2 };
      expect(await (await subject.reopen()).list()).toEqual([accountOf('one'), changed]);
    });

    test('one that was removed does not come back by an update that was under way', async () => {
      await store.add(accountOf('one'));
      await store.add(accountOf('two'));
      await store.remove('one');
      await store.noteTexts('one', ['text'], NOW_MS);
      expect(await (await subject.reopen()).list()).toEqual([accountOf('two')]);
    });

    test.each<Partial<AcmeDnsAccount>>([{ username: 'another' }, { label: 'another' }])(
      'two share neither label nor user name: %j',
      async (facts) => {
        await store.add(accountOf('one'));
        await expect(store.add(accountOf('one', facts))).rejects.toMatchObject({ code: 'store-failed' });
      },
    );
  });
}
