import { systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DnsResolver } from './dns-resolver.ts';
import { NameServerDouble, type Carelessness } from './name-server-double.ts';

const NAME = 'xi8qz.devices.test';
const OWNER = `_acme-challenge.${NAME}`;
const { signal } = new AbortController();

let server: NameServerDouble;
let address: { host: string; port: number };
let resolver: DnsResolver;

beforeEach(async () => {
  server = new NameServerDouble();
  address = { host: '127.0.0.1', port: await server.start() };
  resolver = new DnsResolver({ clock: systemClock, random: systemRandom, server: address });
  server.records.push({ type: 'A', name: NAME, ttl: 30, data: '10.1.1.4' });
  server.records.push({ type: 'TXT', name: OWNER, ttl: 30, data: ['first ', 'half'] });
  server.records.push({ type: 'TXT', name: OWNER, ttl: 30, data: 'other' });
});

afterEach(() => server.stop());

test('every TXT value is found, its strings joined', async () => {
  expect(await resolver.txt(OWNER, signal)).toEqual(['first half', 'other']);
});

test('the letters of a question are of mixed case', async () => {
  await Promise.all(Array.from({ length: 4 }, () => resolver.txt(OWNER, signal)));
  expect(new Set(server.asked).size).toBeGreaterThan(1);
  expect(new Set(server.asked.map((asked) => asked.toLowerCase()))).toEqual(new Set([`txt ${OWNER}`]));
});

test('a name without TXT gives none, a name that is not there fails', async () => {
  expect(await resolver.txt(NAME, signal)).toEqual([]);
  await expect(resolver.txt('nobody.devices.test', signal)).rejects.toThrow(/NXDOMAIN looking up TXT for nobody/);
});

test('a cut answer is asked for again by TCP', async () => {
  server.carelessness = 'truncates';
  expect(await resolver.txt(OWNER, signal)).toEqual(['first half', 'other']);
  expect(server.tcpCount).toBe(1);
});

test('an alias is followed', async () => {
  server.records.push({ type: 'CNAME', name: '_acme-challenge.alias.devices.test', ttl: 30, data: OWNER });
  expect(await resolver.txt('_acme-challenge.alias.devices.test', signal)).toEqual(['first half', 'other']);
});

test('an alias that leads in a circle fails', async () => {
  server.records.push({ type: 'CNAME', name: 'a.devices.test', ttl: 30, data: 'b.devices.test' });
  server.records.push({ type: 'CNAME', name: 'b.devices.test', ttl: 30, data: 'a.devices.test' });
  await expect(resolver.txt('a.devices.test', signal)).rejects.toThrow(/SERVFAIL .* too many CNAMEs/);
});

const CARELESS: readonly (readonly [Carelessness, RegExp])[] = [
  ['no-soa', /SERVFAIL looking up TXT .* without SOA/],
  ['no-aa', /SERVFAIL looking up TXT .*AA is not set/],
  ['foreign-soa', /SERVFAIL looking up TXT .* SOA of elsewhere.test/],
  ['lower-case', /SERVFAIL looking up TXT .*0x20/],
  ['other-question', /SERVFAIL looking up TXT .* another question/],
  ['garbage', /SERVFAIL looking up TXT .* cannot be read/],
  ['servfail', /SERVFAIL looking up TXT .* code 2/],
  ['refuses', /REFUSED looking up TXT/],
];

test.each(CARELESS)('a server that is careless (%s) fails the lookup', async (carelessness, message) => {
  server.carelessness = carelessness;
  await expect(resolver.txt(NAME, signal)).rejects.toThrow(message);
});

test.each(['no-soa', 'no-aa', 'refuses', 'servfail'] as const)('CAA fails too on a server that is %s', async (how) => {
  server.carelessness = how;
  await expect(resolver.caa(NAME, signal)).rejects.toThrow(/looking up CAA/);
});

test('a silent server is asked three times and then given up', async () => {
  server.carelessness = 'silent';
  const clock = new VirtualClock();
  const slow = new DnsResolver({ clock, random: systemRandom, server: address });
  const found = slow.txt(OWNER, signal);
  const failed = found.catch((error: unknown) => error);
  await clock.advance(1999);
  expect(clock.nextTimerMs()).toBe(clock.nowMs() + 1);
  await clock.advance(4001);
  expect(await failed).toMatchObject({ message: expect.stringMatching(/query timed out looking up TXT/) });
});

test('a port where nobody listens fails at once', async () => {
  const gone = new NameServerDouble();
  const nowhere = { host: '127.0.0.1', port: await gone.start() };
  await gone.stop();
  const lost = new DnsResolver({ clock: systemClock, random: systemRandom, server: nowhere });
  await expect(lost.txt(OWNER, signal)).rejects.toThrow(/SERVFAIL looking up TXT/);
});

test('an abandoned lookup ends at once', async () => {
  server.carelessness = 'silent';
  const controller = new AbortController();
  const found = resolver.txt(OWNER, controller.signal);
  controller.abort(new Error('enough'));
  await expect(found).rejects.toThrow('enough');
});

test('CAA of the closest name above counts, and nothing above the zone is asked', async () => {
  expect(await resolver.caa(NAME, signal)).toEqual([]);
  expect(server.asked.map((asked) => asked.toLowerCase())).toEqual([`caa ${NAME}`, 'caa devices.test']);
  const data = { flags: 128, tag: 'issue', value: 'model.lanyard.test' } as const;
  server.records.push({ type: 'CAA', name: 'devices.test', ttl: 30, data });
  expect(await resolver.caa(NAME, signal)).toEqual([{ isCritical: true, tag: 'issue', value: 'model.lanyard.test' }]);
});

test('with the delegated zones known, other names hold nothing and are not asked about', async () => {
  const options = { clock: systemClock, random: systemRandom, server: address };
  const knowing = new DnsResolver({ ...options, zones: ['devices.test'] });
  await expect(knowing.txt('_acme-challenge.other.test', signal)).rejects.toThrow(/NXDOMAIN/);
  expect(await knowing.caa('other.test', signal)).toEqual([]);
  expect(server.asked).toEqual([]);
});
