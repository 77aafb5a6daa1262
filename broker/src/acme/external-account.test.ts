import { createHmac } from 'node:crypto';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuthorityRig, failure, misbehaveAt } from './authority-rig.ts';
import { readExternalAccount } from './external-account.ts';
import { problem } from './hostile-ca.ts';
import { isObject } from './problems.ts';

const hmacKey = Buffer.from('a key that a customer was given..').toString('base64url');
const externalAccount = { kid: 'kid-1', hmacKey };

describe('the file with the key', () => {
  test.each([hmacKey, `${hmacKey}\n`, ' YWJjZA== \n', 'ab+/'])('may hold %j', (text) => {
    expect(readExternalAccount('kid-1', text, '/eab.key')).toEqual({ kid: 'kid-1', hmacKey: text.trim() });
  });

  test.each(['', '\n', 'two words', '{"hmacKey":"YWJj"}', 'YWJj\nYWJj', 'YWJj===', 'naïve'])(
    'may not hold %j, which is not quoted',
    (text) => {
      const read = (): unknown => readExternalAccount('kid-1', text, '/eab.key');
      const message = 'acme.externalAccount.hmacKeyFile: /eab.key holds something else than one key in base64url';
      expect(read).toThrow(expect.objectContaining({ code: 'config-invalid', message }));
    },
  );
});

describe('a new account', () => {
  let rig: AuthorityRig;

  beforeEach(async () => {
    rig = new AuthorityRig({ clock: new VirtualClock() });
    await rig.start();
  });
  afterEach(() => rig.stop());

  test('is tied to the customer’s key, as RFC 8555 §7.3.4 has it', async () => {
    await rig.started({ externalAccount });
    const payload = rig.ca.received.find(({ path }) => path === '/new-account')?.payload;
    const binding =
      isObject(payload) && isObject(payload['externalAccountBinding']) && payload['externalAccountBinding'];
    if (!binding) throw new Error('no binding was sent');
    const { protected: head, payload: key, signature } = binding;
    expect(decode(head)).toEqual({ alg: 'HS256', kid: 'kid-1', url: rig.ca.url('/new-account') });
    expect(decode(key)).toEqual(JSON.parse([...rig.ca.accounts.values()][0] ?? ''));
    const mac = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(`${String(head)}.${String(key)}`);
    expect(signature).toBe(mac.digest('base64url'));
  });

  const REFUSALS = [
    { says: 'unauthorized', has: true, code: 'config-invalid', hint: 'acme.externalAccount (kid kid-1) is wrong' },
    { says: 'malformed', has: true, code: 'config-invalid', hint: 'acme.externalAccount (kid kid-1) is wrong' },
    { says: 'externalAccountRequired', has: false, code: 'config-invalid', hint: 'the CA wants acme.externalAccount' },
    { says: 'externalAccountRequired', has: true, code: 'config-invalid', hint: 'acme.externalAccount (kid kid-1)' },
    { says: 'unauthorized', has: false, code: 'authority-refused', hint: 'the CA refused: words' },
    { says: 'userActionRequired', has: true, code: 'authority-refused', hint: 'the CA refused: words' },
    { says: 'invalidContact', has: true, code: 'authority-refused', hint: 'the CA refused: words' },
  ] as const;

  test.each(REFUSALS)('that is refused as $says (bound: $has) is $code', async ({ says, has, code, hint }) => {
    rig.ca.mischief = misbehaveAt('/new-account', problem(403, says, 'words'));
    const authority = rig.build(has ? { externalAccount } : {});
    const error = await failure(authority.start());
    expect(error).toMatchObject({ code, message: expect.stringContaining(hint) });
    expect(error).toMatchObject({ message: expect.stringContaining('the CA refused: words') });
    expect(JSON.stringify(error)).not.toContain(hmacKey);
  });

  test('that is refused when the broker runs already is one more reason why the CA cannot serve', async () => {
    rig.ca.mischief = misbehaveAt('/directory', 'cut', 1);
    const authority = await rig.started({ externalAccount });
    rig.ca.mischief = misbehaveAt('/new-account', problem(403, 'unauthorized', 'words'));
    const order = authority.newOrder({ names: ['a.devices.example'] }, new AbortController().signal);
    await expect(order).rejects.toMatchObject({
      code: 'authority-refused',
      message: expect.stringContaining('acme.externalAccount'),
    });
  });
});

function decode(text: unknown): unknown {
  return JSON.parse(Buffer.from(String(text), 'base64url').toString());
}
