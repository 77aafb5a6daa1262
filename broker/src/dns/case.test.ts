/** Upper and lower case in names (RFC 4343, and the 0x20 trick of resolvers). */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery } from './example-query.ts';
import { RCODE, TYPE } from './wire.ts';

describe('case', () => {
  test('the question comes back letter by letter, and matches in any case', () => {
    const reply = ask(buildQuery('AlPHa.dEVices.EXAMPLE.com', TYPE.A));
    expect(reply.question).toBe('AlPHa.dEVices.EXAMPLE.com');
    expect(reply.answers).toEqual(['alpha.devices.example.com A 60 10.1.1.4']);
  });

  test('a negative answer echoes it as well', () => {
    const reply = ask(buildQuery('NoBody.Devices.Example.Com', TYPE.A));
    expect(reply.rcode).toBe(RCODE.NXDOMAIN);
    expect(reply.question).toBe('NoBody.Devices.Example.Com');
  });

  test('a query outside every zone keeps its letters too', () => {
    expect(ask(buildQuery('Example.ORG', TYPE.A)).question).toBe('Example.ORG');
  });

  test('only ASCII letters have case', () => {
    expect(ask(Buffer.from(buildQuery('alph\u0041.devices.example.com', TYPE.A))).rcode).toBe(RCODE.NOERROR);
    const query = buildQuery('alpha.devices.example.com', TYPE.A);
    query[13] = 0xc1; // À-like: 'A' with its upper bit set.
    expect(ask(query).rcode).toBe(RCODE.NXDOMAIN);
  });

  test('a dot inside a label separates nothing', () => {
    const query = buildQuery('alpha-devices.example.com', TYPE.A);
    query[18] = 0x2e;
    expect(ask(query).rcode).toBe(RCODE.REFUSED);
    const below = buildQuery('x-alpha.devices.example.com', TYPE.A);
    below[14] = 0x2e;
    const reply = ask(below);
    expect(reply.rcode).toBe(RCODE.NXDOMAIN);
    // The name in the SOA is a pointer into a question with an escape in it.
    expect(reply.authorities).toEqual([expect.stringMatching(/^devices\.example\.com SOA /)]);
  });
});
