/** "There is no such name" and "there is no such data", in the form that can be remembered (RFC 2308). */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery } from './example-query.ts';
import { exampleSnapshot, exampleZone } from './example-zone.ts';
import { RCODE, TYPE } from './wire.ts';

const SOA_IN_NEGATIVE_ANSWERS = 'devices.example.com SOA 60 ns1.devices.example.com hostmaster.example.com 7 60';

describe('negative answers', () => {
  test('an unknown label does not exist, and the SOA says for how long', () => {
    const reply = ask(buildQuery('nobody.devices.example.com', TYPE.A));
    expect(reply.rcode).toBe(RCODE.NXDOMAIN);
    expect(reply.isAuthoritative).toBe(true);
    expect(reply.answers).toEqual([]);
    expect(reply.authorities).toEqual([SOA_IN_NEGATIVE_ANSWERS]);
  });

  test('a name below an appliance does not exist either', () => {
    expect(ask(buildQuery('a.b.alpha.devices.example.com', TYPE.A)).rcode).toBe(RCODE.NXDOMAIN);
  });

  test.each([
    ['MX', 15],
    ['HTTPS, which browsers ask each time', 65],
    ['a type that nobody has assigned', 65_280],
    ['DS', 43],
    ['TXT at a name with addresses', TYPE.TXT],
  ])('%s at a live name is "no data" with the SOA', (_, type) => {
    const reply = ask(buildQuery('alpha.devices.example.com', type));
    expect(reply.rcode).toBe(RCODE.NOERROR);
    expect(reply.isAuthoritative).toBe(true);
    expect(reply.answers).toEqual([]);
    expect(reply.authorities).toEqual([SOA_IN_NEGATIVE_ANSWERS]);
  });

  test('the TTL is the minimum of the SOA, not its own TTL', () => {
    const zone = exampleZone({ soa: { ...exampleSnapshot.soa, minimumSeconds: 15 } });
    const negative = ask(buildQuery('nobody.devices.example.com', TYPE.A), [zone]);
    expect(negative.authorities).toEqual([expect.stringContaining(' SOA 15 ')]);
    const positive = ask(buildQuery('devices.example.com', TYPE.SOA), [zone]);
    expect(positive.answers).toEqual([expect.stringContaining(' SOA 3600 ')]);
  });

  test('the answer stays small enough to be of no use to those who amplify', () => {
    const query = buildQuery('nobody.devices.example.com', TYPE.A, { edns: {} });
    expect(ask(query).bytes.length).toBeLessThan(query.length * 2.2);
  });
});
