import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import type { Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { Bench, closed, connectPacket, happens, packetsUntilClose } from './test-bench.ts';
import type { BenchOptions } from './test-bench.ts';
import { TestAuthority } from './test-authority.ts';
import type { IssuedCredential } from './test-authority.ts';

const ME = 'appliance-1';
const V1 = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 56324 8883\r\n');
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000ccb007107c0000201dc0422b3', 'hex');
const V2_LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');

let bench: Bench;

async function start(options: BenchOptions = {}): Promise<void> {
  bench = await Bench.start(options);
}

afterEach(async () => {
  await bench.stop();
});

/** TLS over a connection that has said something else first; resolves to the caller that the broker saw. */
async function callThrough(tcp: Socket): Promise<unknown> {
  const identity = await bench.authority.issue({ commonName: ME });
  const socket = connectTls({ socket: tcp, ...secrets(identity) });
  socket.on('error', () => undefined);
  socket.once('secureConnect', () => socket.write(connectPacket(ME)));
  const [caller]: unknown[] = await once(bench.conversation, 'admit');
  return caller;
}

function secrets(identity: IssuedCredential | undefined): ConnectionOptions {
  return {
    ca: bench.authority.rootPem,
    checkServerIdentity: () => undefined,
    ...(identity && { cert: identity.certificatePem, key: identity.keyPem }),
  };
}

/** How the client sees the end of a handshake that the server does not like. */
async function failedCall(options: ConnectionOptions): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port: bench.port, ...options });
  const errors: string[] = [];
  socket.on('error', (error) => errors.push('code' in error ? String(error.code) : error.message));
  socket.on('secureConnect', () => socket.write(connectPacket(ME)));
  await closed(socket);
  return errors[0] ?? 'closed';
}

describe('behind a load balancer', () => {
  const proxied: BenchOptions = { settings: { proxyPeers: ['127.0.0.0/8'] } };

  test.each([
    ['version 1', V1],
    ['version 2', V2],
  ])('the source address comes from the header of %s', async (_version, header) => {
    await start(proxied);
    const tcp = bench.tcp();
    tcp.write(header);
    expect(await callThrough(tcp)).toMatchObject({ sourceAddress: '203.0.113.7' });
  });

  test('a header that arrives byte by byte is read, and not one byte of the client is lost', async () => {
    await start(proxied);
    const tcp = bench.tcp();
    tcp.setNoDelay(true);
    for (const byte of V2) await new Promise((resolve) => tcp.write(Buffer.from([byte]), resolve));
    expect(await callThrough(tcp)).toMatchObject({ sourceAddress: '203.0.113.7' });
  });

  test('a header in one segment with what the client says first is cut off exactly', async () => {
    await start(proxied);
    const tcp = bench.tcp();
    tcp.cork();
    tcp.write(V2);
    const call = callThrough(tcp);
    setImmediate(() => tcp.uncork());
    expect(await call).toMatchObject({ sourceAddress: '203.0.113.7' });
  });

  test('a health check of the balancer itself keeps its own address', async () => {
    await start(proxied);
    const tcp = bench.tcp();
    tcp.write(V2_LOCAL);
    expect(await callThrough(tcp)).toMatchObject({ sourceAddress: '127.0.0.1' });
  });

  test('a balancer that sends no header is cut off: TLS at once, garbage, or far too much', async () => {
    await start(proxied);
    expect(await failedCall(secrets(undefined))).toBe('ECONNRESET');
    for (const bytes of [
      Buffer.from('hello\r\n'),
      Buffer.from('PROXY TCP4 what\r\n'),
      Buffer.alloc(100_000, 'PROXY '),
    ]) {
      const tcp = bench.tcp();
      tcp.write(bytes);
      await closed(tcp);
    }
    expect(bench.conversation.callers).toEqual([]);
  });

  test('a balancer that keeps its header for itself is cut off after five seconds', async () => {
    const clock = new VirtualClock();
    await start({ ...proxied, clock });
    const tcp = bench.tcp();
    await once(tcp, 'connect');
    tcp.write(V2.subarray(0, 20));
    const gone = closed(tcp);
    expect(await secondsUntil(clock, 'no PROXY protocol header')).toBeGreaterThanOrEqual(5);
    await gone;
  });

  test('a header from anybody else ends the connection and is believed by nobody', async () => {
    await start({ settings: { proxyPeers: ['192.0.2.0/24'] } });
    for (const header of [V1, V2]) {
      const tcp = bench.tcp();
      tcp.write(header);
      await closed(tcp);
    }
    expect(bench.conversation.callers).toEqual([]);
    expect(await bench.log.find('TLS handshake failed')).toMatchObject({ sourceAddress: '127.0.0.1' });
  });
});

describe('who may shake hands', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'nobody without a certificate: %s says so, the log says so once',
    async (version) => {
      await start();
      const call = { ...secrets(undefined), minVersion: version, maxVersion: version };
      const alerts = { 'TLSv1.2': /HANDSHAKE_FAILURE/, 'TLSv1.3': /CERTIFICATE_REQUIRED/ };
      for (let attempt = 0; attempt < 3; attempt++) expect(await failedCall(call)).toMatch(alerts[version]);
      const fields = await bench.log.find('no client certificate');
      expect(fields).toMatchObject({ sourceAddress: '127.0.0.1' });
      expect(bench.log.lines).toHaveLength(1);
    },
  );

  test('nobody with a certificate from another root, although it carries a known id', async () => {
    await start();
    const stranger = await TestAuthority.create();
    await failedCall(secrets(await stranger.issue({ commonName: ME })));
    expect(await bench.log.find('is not accepted')).toMatchObject({ sourceAddress: '127.0.0.1' });
    const namesake = await TestAuthority.create('Test Root');
    await failedCall(secrets(await namesake.issue({ commonName: ME })));
    expect(bench.conversation.callers).toEqual([]);
  });

  test.each([
    ['one that has expired', { notAfter: new Date('2021-01-01T00:00:00Z') }],
    ['one that is not valid yet', { notBefore: new Date('2049-01-01T00:00:00Z') }],
    ['a server certificate', { use: 'server' }],
    ['a name that is no id', { commonName: 'broker.test' }],
    ['two names', { commonName: [ME, 'appliance-2'] }],
    ['a line break in the name', { commonName: `x\nCN=${ME}` }],
    ['an empty name', { commonName: '' }],
  ] as const)('nobody with %s', async (_what, wish) => {
    await start();
    await failedCall(secrets(await bench.authority.issue({ commonName: ME, ...wish })));
    expect(bench.log.lines).toHaveLength(1);
    expect(bench.conversation.callers).toEqual([]);
  });

  test('an identity that is valid until 9999, which is how ours are', async () => {
    await start();
    const identity = await bench.authority.issue({ commonName: ME, notAfter: new Date('9999-12-31T23:59:59Z') });
    const client = await bench.client(ME, { cert: identity.certificatePem, key: identity.keyPem });
    await happens(client, 'connect');
    expect(client.connected).toBe(true);
  });

  test('a resumed TLS session still knows whose it is', async () => {
    await start();
    const identity = await bench.authority.issue({ commonName: ME });
    const first = await bench.tls(identity, { maxVersion: 'TLSv1.2' });
    const session = first.getSession();
    first.destroy();
    const second = await bench.tls(identity, { maxVersion: 'TLSv1.2', ...(session && { session }) });
    second.write(connectPacket(ME));
    const [caller]: unknown[] = await once(bench.conversation, 'admit');
    expect(second.isSessionReused()).toBe(true);
    expect(caller).toMatchObject({ deviceId: ME, identityKeyHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  test('TLS 1.1 is too old', async () => {
    await start();
    const identity = await bench.authority.issue({ commonName: ME });
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await failedCall({ ...secrets(identity), ...old })).toMatch(/PROTOCOL_VERSION/);
  });

  test('ALPN "mqtt" is agreed on, another protocol is refused, none is fine', async () => {
    await start();
    const identity = await bench.authority.issue({ commonName: ME });
    const alpn = async (...ALPNProtocols: string[]): Promise<TLSSocket> => await bench.tls(identity, { ALPNProtocols });
    expect((await alpn('http/1.1', 'mqtt')).alpnProtocol).toBe('mqtt');
    expect((await bench.tls(identity)).alpnProtocol).toBe(false);
    expect(await failedCall({ ...secrets(identity), ALPNProtocols: ['h2'] })).toMatch(/NO_APPLICATION_PROTOCOL/);
  });

  test('a web browser is sent away', async () => {
    await start();
    const tcp = bench.tcp();
    tcp.write('GET / HTTP/1.1\r\nHost: broker.test\r\n\r\n');
    await closed(tcp);
    expect(await bench.log.find('TLS handshake failed')).toMatchObject({ reason: expect.stringContaining('HTTP') });
  });
});

describe('how long and how many', () => {
  test('a handshake that does not come ends after eight seconds', async () => {
    const clock = new VirtualClock();
    await start({ clock });
    const tcp = bench.tcp();
    await once(tcp, 'connect');
    const gone = closed(tcp);
    expect(await secondsUntil(clock, 'no TLS handshake in time')).toBeGreaterThanOrEqual(8);
    await gone;
  });

  test('an appliance that shakes hands and says nothing is sent away', async () => {
    const clock = new VirtualClock();
    await start({ clock });
    const socket = await bench.tls(await bench.authority.issue({ commonName: ME }));
    const gone = closed(socket);
    expect(await secondsUntil(clock, 'not accepted in time')).toBeGreaterThanOrEqual(16);
    await gone;
  });

  test('an answer to CONNECT that never comes from inside is "come back later"', async () => {
    const clock = new VirtualClock();
    await start({ clock });
    bench.conversation.onAdmit = () => new Promise(() => undefined);
    const socket = await bench.tls(await bench.authority.issue({ commonName: ME }));
    const packets = packetsUntilClose(socket);
    socket.write(connectPacket(ME));
    await once(bench.conversation, 'admit');
    await clock.advance(8000);
    expect(await packets).toMatchObject([{ cmd: 'connack', returnCode: 3 }]);
  });

  test('one address may have only so many strangers, but any number of accepted appliances', async () => {
    await start({ settings: { maxWaitingPerAddress: 2 } });
    for (let index = 0; index < 4; index++) await bench.appliance(`appliance-${index}`);
    const [first, second] = [bench.tcp(), bench.tcp()];
    await Promise.all([once(first, 'connect'), once(second, 'connect')]);
    const third = bench.tcp();
    await closed(third);
    expect(await bench.log.find('too many connections of this address')).toBeDefined();
    expect([first.closed, second.closed, bench.broker.connectedCount()]).toEqual([false, false, 4]);
    first.destroy();
    second.destroy();
  });

  test('behind a balancer the strangers are counted by their own addresses', async () => {
    await start({ settings: { maxWaitingPerAddress: 1, proxyPeers: ['127.0.0.1'] } });
    const sockets = ['203.0.113.1', '203.0.113.2', '203.0.113.3'].map((address) => {
      const tcp = bench.tcp();
      tcp.write(`PROXY TCP4 ${address} 192.0.2.1 56324 8883\r\n`);
      return tcp;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const again = bench.tcp();
    again.write('PROXY TCP4 203.0.113.2 192.0.2.1 56324 8883\r\n');
    await closed(again);
    expect(await bench.log.find('too many connections of this address')).toMatchObject({
      sourceAddress: '203.0.113.2',
    });
    expect(sockets.map((socket) => socket.closed)).toEqual([false, false, false]);
  });

  test('when the whole room is full, newcomers are turned away', async () => {
    await start({ settings: { maxWaiting: 3 } });
    const strangers = [bench.tcp(), bench.tcp(), bench.tcp()];
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    await closed(bench.tcp());
    expect(await bench.log.find('too many connections wait')).toBeDefined();
  });
});

/** Moves time by whole seconds until the log says `text`; the connection may not have been noticed yet. */
async function secondsUntil(clock: VirtualClock, text: string): Promise<number> {
  while (!bench.log.lines.some(({ fields }) => String(fields['reason']).includes(text))) await clock.advance(1000);
  return clock.monotonicMs() / 1000;
}
