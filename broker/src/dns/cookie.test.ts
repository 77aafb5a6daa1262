/** Server cookies against the examples of RFC 9018, appendix A, and the rules of its §4. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ServerCookies, isCookieLength } from './cookie.ts';

const SECRET = 'e5e973e5a6b2a43f48e7dc849e37bfcf';
const CLIENT = '2464c4abcf10c957';
const ADDRESS = '198.51.100.100';
const LEARNT = `${CLIENT}010000005cf79f111f8130c3eee29480`;
const LEARNT_SECONDS = 1_559_731_985;

interface Asked {
  readonly cookie: string;
  readonly address?: string;
  readonly atSeconds?: number;
  readonly secrets?: readonly string[];
}

function ask({ cookie, address = ADDRESS, atSeconds = LEARNT_SECONDS, secrets = [SECRET] }: Asked) {
  const clock = { nowMs: () => atSeconds * 1000 };
  const cookies = new ServerCookies({ secrets: secrets.map((secret) => Buffer.from(secret, 'hex')), clock });
  const answer = cookies.answer(Buffer.from(cookie, 'hex'), address);
  return answer && { isProof: answer.isProof, cookie: Buffer.from(answer.cookie).toString('hex') };
}

describe('the examples of RFC 9018', () => {
  test('A.1: a client learns its cookie', () => {
    expect(ask({ cookie: CLIENT })).toEqual({ isProof: false, cookie: LEARNT });
  });

  test('A.2: forty minutes later it gets a fresh one', () => {
    const cookie = `${CLIENT}010000005cf7a871d4a564a1442aca77`;
    expect(ask({ cookie: LEARNT, atSeconds: 1_559_734_385 })).toEqual({ isProof: true, cookie });
  });

  test('A.3: reserved bytes may be anything, and are zero in the new cookie', () => {
    const asked = { cookie: 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5', address: '203.0.113.203' };
    const cookie = 'fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e';
    expect(ask({ ...asked, atSeconds: 1_559_727_985 })?.isProof).toBe(true);
    // Almost two hours old in the example, it proves nothing (§4.3); the client gets the cookie that the example shows.
    expect(ask({ ...asked, atSeconds: 1_559_734_700 })).toEqual({ isProof: false, cookie });
  });

  test('A.4: over IPv6, while the secret changes', () => {
    const asked = {
      cookie: '22681ab97d52c298010000005cf7c57926556bd0934c72f8',
      address: '2001:db8:220:1:59de:d0f4:8769:82b8',
      atSeconds: 1_559_741_961,
    };
    const secrets = ['445536bcd2513298075a5d379663c962', 'dd3bdf9344b678b185a6f5cb60fca715'];
    const cookie = '22681ab97d52c298010000005cf7c609a6bb79d16625507a';
    expect(ask({ ...asked, secrets })).toEqual({ isProof: true, cookie });
    // Without the old secret the client starts anew, with the same result.
    expect(ask({ ...asked, secrets: secrets.slice(0, 1) })).toEqual({ isProof: false, cookie });
  });
});

describe('how long a cookie is good', () => {
  test.each([
    ['five minutes before it was made', -300, true],
    ['before that', -301, false],
    ['for half an hour it comes back as it is', 1800, true],
    ['for an hour', 3600, true],
    ['not a second longer', 3601, false],
    ['nor half of the clock later', 2 ** 31, false],
  ])('%s', (_, ageSeconds, isProof) => {
    const answer = ask({ cookie: LEARNT, atSeconds: LEARNT_SECONDS + ageSeconds });
    expect(answer?.isProof).toBe(isProof);
    expect(answer?.cookie === LEARNT).toBe(isProof && ageSeconds <= 1800);
  });

  test('the clock of 32 bits may turn over in between (year 2106)', () => {
    const { cookie = '' } = ask({ cookie: CLIENT, atSeconds: 2 ** 32 - 10 }) ?? {};
    expect(ask({ cookie, atSeconds: 2 ** 32 + 10 })).toEqual({ isProof: true, cookie });
    expect(ask({ cookie, atSeconds: 2 ** 32 + 3600 })?.isProof).toBe(false);
  });
});

describe('what is no proof', () => {
  test.each<readonly [string, Asked]>([
    ['the cookie of another client', { cookie: LEARNT.replace(CLIENT, '0000000000000000') }],
    ['a cookie from another address', { cookie: LEARNT, address: '198.51.100.101' }],
    ['a cookie of another secret', { cookie: LEARNT, secrets: ['00'.repeat(16)] }],
    ['another version', { cookie: LEARNT.replace('01000000', '02000000') }],
    ['another length', { cookie: `${LEARNT}00` }],
  ])('%s', (_, asked) => {
    expect(ask(asked)?.isProof).toBe(false);
  });

  test('a cookie in which any one bit was changed', () => {
    for (let bit = 0; bit < LEARNT.length * 4; bit++) {
      const bytes = Buffer.from(LEARNT, 'hex');
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(ask({ cookie: bytes.toString('hex') })?.isProof).toBe(false);
    }
  });

  test('without a secret, or an address that a cookie could be bound to, there is none', () => {
    expect(ask({ cookie: CLIENT, secrets: [] })).toBeUndefined();
    expect(ask({ cookie: CLIENT, address: '::ffff:192.0.2.1' })).toBeUndefined();
  });
});

test('every cookie that is handed out is taken back, from the same sender and with both secrets', () => {
  const anyAddress = fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', '::1'));
  const inputs = [anyBytes(8), anyAddress, anyBytes(16), anyBytes(16), fc.integer({ min: -300, max: 3600 })] as const;
  fc.assert(
    fc.property(...inputs, (client, address, secret, next, ageSeconds) => {
      const { cookie = '' } = ask({ cookie: client, address, secrets: [secret] }) ?? {};
      const later = { cookie, address, atSeconds: LEARNT_SECONDS + ageSeconds };
      expect(ask({ ...later, secrets: [next, secret] })?.isProof).toBe(true);
      expect(ask({ ...later, secrets: [secret, next] })?.isProof).toBe(true);
    }),
  );
});

test('a cookie option has 8 bytes, or 16 to 40', () => {
  const lawful = Array.from({ length: 64 }, (_, bytes) => bytes).filter(isCookieLength);
  expect(lawful).toEqual([8, ...Array.from({ length: 25 }, (_, index) => 16 + index)]);
});

function anyBytes(count: number) {
  return fc.uint8Array({ minLength: count, maxLength: count }).map(toHex);
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
