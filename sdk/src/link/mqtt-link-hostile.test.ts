import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { UpMessage } from '../protocol/up-message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useLinks } from './test-link.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const BYE: UpMessage = { kind: 'bye', bye: { id: 'bye-1', bootId: 'boot-1', reason: 'reboot' } };

const rig = useLinks();

describe('a line that only looks alive', () => {
  test('is given up when nothing answers below TLS', async () => {
    const clock = new VirtualClock();
    const silentServer = createServer();
    const silent = await rig.listen(silentServer);
    const reached = new Promise((resolve) => silentServer.once('connection', resolve));
    const { link, next } = rig.makeLink(silent, { clock });
    await link.start();
    await reached;
    await clock.advance(20 * SECOND);
    const { error } = await next('down');
    expect(error.code).toBe('broker-unreachable');
    expect(error.message).toContain('no answer within 20000 ms');
  });

  test('is given up when CONNECT is not answered', async () => {
    const clock = new VirtualClock();
    const broker = await rig.startBroker({ authenticate: () => {} });
    const { link, next } = rig.makeLink(broker, { clock });
    const asked = broker.nextConnect();
    await link.start();
    await asked;
    await clock.advance(20 * SECOND);
    expect((await next('down')).error.message).toContain('no answer within 20000 ms');
  });

  test('takes only so much that nobody acknowledges, and is cut after a minute', async () => {
    const clock = new VirtualClock();
    const broker = await rig.startBroker({ authorizePublish: () => {} });
    const { link, next } = await rig.startLink(broker, { clock });
    const taken = Array.from({ length: 20 }, () => link.send(BYE));
    expect(taken.filter(Boolean)).toHaveLength(16);
    await clock.advance(MINUTE);
    expect((await next('down')).error.message).toContain('acknowledges nothing');
  });

  test('ends without harm when a web server answers', async () => {
    const web = await rig.listen(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      }),
    );
    const { link, next } = rig.makeLink(web);
    await link.start();
    expect((await next('down')).error.code).toBe('broker-unreachable');
  });

  test.each([
    ['rubbish', Buffer.from('rubbish, rubbish, rubbish')],
    ['an enormous packet', Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])],
    ['a length without end', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['a PUBLISH before CONNACK', Buffer.from([0x30, 0x03, 0x00, 0x01, 0x61])],
    ['CONNACK twice', Buffer.from([0x20, 2, 0, 0, 0x20, 2, 0, 0])],
    ['a SUBACK for fewer topics', Buffer.from([0x20, 2, 0, 0, 0x90, 3, 0, 1, 1])],
  ])('ends without harm when the broker sends %s', async (_, bytes) => {
    const clock = new VirtualClock();
    const rudeServer = createTlsServer({ key: rig.server.keyPem, cert: rig.server.certificatePem }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(bytes));
    });
    const rude = await rig.listen(rudeServer);
    const { link, next } = rig.makeLink(rude, { clock });
    const secured = new Promise((resolve) => rudeServer.once('secureConnection', resolve));
    await link.start();
    await secured;
    const down = next('down');
    // What says nothing wrong, but nothing useful either, is ended by the clock.
    const inTime = await Promise.race([
      down,
      clock
        .advance(0)
        .then(() => clock.advance(20 * SECOND))
        .then(() => down),
    ]);
    expect(inTime.error.code).toBe('broker-unreachable');
  });
});
