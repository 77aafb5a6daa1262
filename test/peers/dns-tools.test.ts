/** What BIND's dig and Knot's kdig read from a running broker's name server, over UDP and over TCP. */
import { beforeAll, describe, expect, test } from 'vitest';
import { openTown, openVendor } from '@lanyard/simulator';
import type { Town, Vendor } from '@lanyard/simulator';
import { PATIENCE_MS } from '../../simulator/src/scenarios/crowd.ts';
import { dig } from '../support/dig.ts';
import type { DigAnswer } from '../support/dig.ts';
import { arePeersMissing } from '../support/peers.ts';
import { undoAfterAll } from '../support/undo.ts';

/** Records of some 74 bytes each: more than the 512 that plain UDP carries, less than the 1232 of EDNS. */
const LONG_NAMES = Array.from({ length: 8 }, (_, index) => String.fromCodePoint(97 + index).repeat(60));

for (const tool of ['dig', 'kdig'] as const) {
  describe.skipIf(arePeersMissing(tool))(`${tool} reads the zone`, () => {
    const undo = undoAfterAll();
    let town: Town;
    let name: string;

    beforeAll(async () => {
      town = await openTown({ appliances: 1, sites: 1, seed: 1 });
      undo(() => town.close());
      const [appliance] = town.appliances;
      await appliance!.powerOn();
      await appliance!.until('certified', (each) => each.certificate() !== undefined, PATIENCE_MS);
      ({ name } = appliance!);
    });

    const ask = (...question: string[]): Promise<DigAnswer> => dig(tool, town.nameServer, ...question);

    for (const transport of ['+notcp', '+tcp']) {
      describe(`with ${transport}`, () => {
        test('SOA and NS of the apex are authoritative, without recursion', async () => {
          const soa = await ask(transport, town.zone, 'SOA', '+rec');
          expect(soa).toMatchObject({ status: 'NOERROR', flags: ['qr', 'aa', 'rd'] });
          expect(soa.answer).toHaveLength(1);
          expect(soa.answer[0]).toMatch(soaOf(town));
          const ns = await ask(transport, town.zone, 'NS');
          expect(ns.answer.map(withoutTtl)).toEqual([`${town.zone}. IN NS ns1.${town.zone}.`]);
          expect(ns.additional.map(withoutTtl)).toEqual([`ns1.${town.zone}. IN A 127.0.0.1`]);
        });

        test('A is the appliance’s LAN address', async () => {
          const answer = await ask(transport, name, 'A');
          expect(answer).toMatchObject({ status: 'NOERROR', authority: [] });
          expect(answer.answer.map(withoutTtl)).toEqual([`${name}. IN A ${town.appliances[0]!.address}`]);
        });

        test('a name without such a record is NODATA, and an unknown name NXDOMAIN, both with the SOA', async () => {
          for (const [owner, type, status] of [
            [name, 'AAAA', 'NOERROR'],
            [name, 'CAA', 'NOERROR'],
            [`nobody.${town.zone}`, 'A', 'NXDOMAIN'],
            [`_acme-challenge.${name}`, 'TXT', 'NXDOMAIN'],
          ] as const) {
            const answer = await ask(transport, owner, type);
            expect(answer).toMatchObject({ status, answer: [] });
            expect(answer.flags).toContain('aa');
            expect(answer.authority).toHaveLength(1);
            expect(answer.authority[0]).toMatch(soaOf(town));
          }
        });

        test('the letter case of a question comes back as it was sent', async () => {
          const mixed = name.toUpperCase().replaceAll('E', 'e');
          // kdig makes every name lower case before it asks.
          const sent = tool === 'kdig' ? name : mixed;
          const { question, answer } = await ask(transport, mixed, 'A');
          expect(question.map((line) => line.split(/\s/)[0])).toEqual([`${sent}.`]);
          expect(answer[0]?.toLowerCase()).toContain(name);
        });

        test('CAA allows the CA of this broker, its account and dns-01', async () => {
          const { answer } = await ask(transport, town.zone, 'CAA');
          const [issue, wild, ...others] = answer.map(withoutTtl).toSorted();
          expect(others).toEqual([]);
          expect(issue).toMatch(
            /CAA 0 issue "model\.lanyard\.test; accounturi=https:[^ ]+; validationmethods=dns-01"$/,
          );
          expect(wild).toMatch(/CAA 0 issuewild ";"$/);
        });

        test('EDNS is answered with EDNS, and a question without it without', async () => {
          const answered = await ask(transport, town.zone, 'SOA', '+edns');
          expect(answered.edns).toMatch(/version: 0/i);
          expect(answered.edns).toMatch(/\b1232\b/);
          const plain = await ask(transport, town.zone, 'SOA', '+noedns');
          expect(plain).toMatchObject({ status: 'NOERROR', edns: undefined });
        });

        test('ANY gets one set, and what is not ours is refused without a word', async () => {
          const any = await ask(
            transport,
            name,
            'ANY',
            ...(transport === '+notcp' && tool === 'dig' ? ['+ignore'] : []),
          );
          expect(any.answer).toHaveLength(1);
          for (const question of [
            ['version.bind', 'CH', 'TXT'],
            ['example.com', 'A'],
            ['com', 'NS'],
            ['.', 'NS'],
          ]) {
            const refused = await ask(transport, ...question);
            expect(refused).toMatchObject({ status: 'REFUSED', answer: [], authority: [] });
            expect(refused.flags).not.toContain('aa');
          }
        });
      });
    }

    test('a server cookie comes with the first answer, and is good for the next question', async () => {
      const first = await ask('+notcp', name, 'A', '+cookie=2464c4abcf10c957');
      expect(first.status).toBe('NOERROR');
      const cookie = cookieOf(first);
      expect(cookie).toMatch(/^2464c4abcf10c95701000000[0-9a-f]{24}$/);
      const second = await ask('+notcp', name, 'A', `+cookie=${cookie}`);
      expect(second).toMatchObject({ status: 'NOERROR', answer: first.answer });
      // The very same comes back only when the server knows it again.
      expect(cookieOf(second)).toBe(cookie);
      expect(second.text).not.toMatch(/cookie.*(bad|mismatch)|badcookie/i);
    });

    test('nobody gets the whole zone', async () => {
      const transfer = await dig(tool, town.nameServer, '+tcp', town.zone, 'AXFR');
      expect(transfer.text).not.toContain(name);
      expect(transfer.text).toMatch(/Transfer failed|REFUSED/i);
    });
  });

  describe.skipIf(arePeersMissing(tool))(`${tool} meets an answer that is too long`, () => {
    const undo = undoAfterAll();
    let vendor: Vendor;

    beforeAll(async () => {
      const zone = 'devices.lanyard.test';
      vendor = await openVendor({ nameServers: LONG_NAMES.map((label) => `${label}.${zone}=127.0.0.1`) });
      undo(() => vendor.close());
    });

    const ask = (...options: string[]): Promise<DigAnswer> =>
      dig(tool, vendor.nameServer, vendor.zone, 'NS', ...options);

    test('over plain UDP it is truncated and empty', async () => {
      const { flags, answer } = await ask('+notcp', '+noedns', '+ignore');
      expect(flags).toEqual(expect.arrayContaining(['qr', 'aa', 'tc']));
      expect(answer).toEqual([]);
    });

    test('it comes whole over UDP with EDNS, and over TCP', async () => {
      for (const options of [['+notcp', '+bufsize=1232', '+ignore'], ['+tcp']]) {
        const { flags, answer } = await ask(...options);
        expect(flags).not.toContain('tc');
        expect(answer).toHaveLength(LONG_NAMES.length);
      }
    });

    test('the tool asks again over TCP by itself', async () => {
      const { answer } = await ask('+noedns');
      expect(answer).toHaveLength(LONG_NAMES.length);
    });
  });
}

/** The name server's SOA: ours in everything but the serial and the TTL. */
function soaOf({ zone }: Vendor): RegExp {
  const escaped = zone.replaceAll('.', String.raw`\.`);
  return new RegExp(
    String.raw`^${escaped}\. \d+ IN SOA ns1\.${escaped}\. hostmaster\.${escaped}\. \d+ 3600 300 2419200 60$`,
  );
}

/** As dig prints it in one piece, and kdig in two. */
function cookieOf({ text }: DigAnswer): string {
  return (/COOKIE: ([0-9a-f ,]+)/i.exec(text)?.[1] ?? '').replaceAll(/[^0-9a-f]/gi, '').toLowerCase();
}

function withoutTtl(record: string): string {
  return record.replace(/^(\S+) \d+ /, '$1 ');
}
