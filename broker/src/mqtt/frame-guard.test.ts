import * as fc from 'fast-check';
import { generate } from 'mqtt-packet';
import type { Packet } from 'mqtt-packet';
import { VirtualClock } from '@lanyard/sdk/testing';
import { describe, expect, test } from 'vitest';
import { FrameGuard, MAX_CONNECT_BYTES, MAX_PUBLISH_BYTES } from './frame-guard.ts';
import type { Violation } from './frame-guard.ts';

const GENEROUS = { burst: 1e9, perSecond: 0 };

function makeGuard(limits: Partial<ConstructorParameters<typeof FrameGuard>[0]> = {}): FrameGuard {
  return new FrameGuard({ publishRate: GENEROUS, packetRate: GENEROUS, clock: new VirtualClock(), ...limits });
}

/** Everything that comes out when `chunks` go in, and the most that was kept meanwhile. */
function run(guard: FrameGuard, chunks: readonly Buffer[]): { packets: Buffer[]; end?: Violation; keptBytes: number } {
  const packets: Buffer[] = [];
  let keptBytes = 0;
  for (const chunk of chunks) {
    guard.push(chunk);
    let frame = guard.next();
    for (; frame.kind === 'packet'; frame = guard.next()) packets.push(frame.bytes);
    keptBytes = Math.max(keptBytes, guard.bufferedBytes);
    if (frame.kind === 'violation') return { packets, end: frame.reason, keptBytes };
  }
  return { packets, keptBytes };
}

const CONNECT = generate({
  cmd: 'connect',
  clientId: 'appliance-1',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
});

function publish(sizeBytes: number, qos: 0 | 1 | 2 = 1): Buffer {
  const packet: Packet = {
    cmd: 'publish',
    topic: 'lanyard/v1/d/appliance-1/up/hello',
    payload: Buffer.alloc(sizeBytes, 'x'),
    qos,
    retain: false,
    dup: false,
    messageId: 1,
  };
  return generate(packet);
}

function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let offset = 0;
  for (const size of sizes) {
    chunks.push(stream.subarray(offset, offset + size));
    offset += size;
  }
  return [...chunks, stream.subarray(offset)];
}

describe('whole packets', () => {
  test('any chunking of a stream gives the same packets', () => {
    const later = fc.oneof(
      fc.integer({ min: 0, max: 16 * 1024 }).map((size) => publish(size)),
      fc.constant(generate({ cmd: 'pingreq' })),
      fc.constant(generate({ cmd: 'puback', messageId: 7 })),
      fc.constant(generate({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'a/b', qos: 1 }] })),
      fc.constant(generate({ cmd: 'disconnect' })),
    );
    const sizes = fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.array(later, { maxLength: 12 }), sizes, (rest, chunkSizes) => {
        const packets = [CONNECT, ...rest];
        const result = run(makeGuard(), cut(Buffer.concat(packets), chunkSizes));
        expect(result.end).toBeUndefined();
        expect(Buffer.concat(result.packets).equals(Buffer.concat(packets))).toBe(true);
        expect(result.packets.map((bytes) => bytes.length)).toEqual(packets.map((bytes) => bytes.length));
      }),
      { numRuns: 200 },
    );
  });

  test('byte by byte works too', () => {
    const stream = Buffer.concat([CONNECT, publish(300)]);
    const { packets } = run(
      makeGuard(),
      [...stream].map((byte) => Buffer.from([byte])),
    );
    expect(packets).toEqual([CONNECT, publish(300)]);
  });

  test('random bytes neither throw nor make it keep more than one packet', () => {
    const bytes = fc.uint8Array({ maxLength: 40_000 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.boolean(), fc.array(bytes, { maxLength: 8 }), (isConnected, chunks) => {
        const { keptBytes } = run(makeGuard(), isConnected ? [CONNECT, ...chunks] : chunks);
        expect(keptBytes).toBeLessThanOrEqual(MAX_PUBLISH_BYTES);
      }),
      { numRuns: 500 },
    );
  });

  test('after a violation nothing more comes out, whatever goes in', () => {
    const guard = makeGuard();
    expect(run(guard, [generate({ cmd: 'pingreq' })]).end).toBe('not-connect-first');
    expect(run(guard, [CONNECT])).toMatchObject({ packets: [], end: 'not-connect-first', keptBytes: CONNECT.length });
  });
});

describe('what is refused', () => {
  test.each([
    ['something else before CONNECT', [publish(1)], 'not-connect-first'],
    ['an HTTP request', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'not-connect-first'],
    ['a second CONNECT', [CONNECT, CONNECT], 'connect-twice'],
    ['CONNECT with flags', [Buffer.from([0x11, 0])], 'wrong-flags'],
    ['a length of five bytes', [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x01])], 'malformed-length'],
    ['a length with needless zeros', [Buffer.from([0x10, 0x80, 0x00])], 'malformed-length'],
    ['a CONNECT above 4 KiB', [Buffer.from([0x10, 0x80, 0x20])], 'too-large'],
    ['a CONNECT of 256 MiB', [Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])], 'too-large'],
    ['a body above the limit', [CONNECT, publish(MAX_PUBLISH_BYTES)], 'too-large'],
    ['a large SUBSCRIBE', [CONNECT, Buffer.from([0x82, 0x80, 0x10])], 'too-large'],
    ['QoS 2', [CONNECT, publish(1, 2)], 'qos-2'],
    ['QoS 3', [CONNECT, Buffer.from([0x36, 0x00])], 'qos-2'],
    ['PUBREL', [CONNECT, generate({ cmd: 'pubrel', messageId: 1 })], 'qos-2'],
    [
      'a CONNACK from a client',
      [CONNECT, generate({ cmd: 'connack', returnCode: 0, sessionPresent: false })],
      'not-for-a-server',
    ],
    ['AUTH of MQTT 5', [CONNECT, Buffer.from([0xf0, 0x00])], 'not-for-a-server'],
    ['SUBSCRIBE with wrong flags', [CONNECT, Buffer.from([0x80, 0x00])], 'wrong-flags'],
  ] as const)('%s', (_what, chunks, reason) => {
    expect(run(makeGuard(), [Buffer.concat(chunks)]).end).toBe(reason);
  });

  test('the decision falls with the header: not one byte of a large packet is kept', () => {
    const { end, keptBytes } = run(makeGuard(), [Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(65_536)]);
    expect([end, keptBytes]).toEqual(['too-large', 0]);
  });

  test('CONNECT may have 4 KiB', () => {
    const filler = MAX_CONNECT_BYTES - CONNECT.length - 3;
    const connect = generate({
      cmd: 'connect',
      clientId: 'appliance-1',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      username: 'x'.repeat(filler),
    });
    expect(connect.length).toBe(MAX_CONNECT_BYTES);
    expect(run(makeGuard(), [connect]).packets).toHaveLength(1);
  });
});

describe('how fast', () => {
  test('publishing faster than the rate ends the connection, waiting refills the bucket', async () => {
    const clock = new VirtualClock();
    const guard = makeGuard({ publishRate: { burst: 3, perSecond: 0.5 }, clock });
    expect(run(guard, [CONNECT, publish(1), publish(1), publish(1)]).packets).toHaveLength(4);
    await clock.advance(2000);
    expect(run(guard, [publish(1)]).packets).toHaveLength(1);
    expect(run(guard, [publish(1)]).end).toBe('too-fast');
  });

  test('a flood of pings ends the connection too', () => {
    const guard = makeGuard({ packetRate: { burst: 10, perSecond: 1 } });
    const pings = Array.from({ length: 20 }, () => generate({ cmd: 'pingreq' }));
    const { packets, end } = run(guard, [CONNECT, Buffer.concat(pings)]);
    expect([packets.length, end]).toEqual([10, 'too-fast']);
  });
});
