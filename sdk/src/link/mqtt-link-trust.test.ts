import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { CLIENT_AUTH, SERVER_AUTH, issue } from './test-authority.ts';
import type { Issued, Wish } from './test-authority.ts';
import { useLinks } from './test-link.ts';

const rig = useLinks();

describe('a broker is refused before a byte of MQTT is sent', () => {
  const LEAF: Wish = { commonName: 'broker', addresses: ['127.0.0.1'], usages: [SERVER_AUTH] };
  const PAST = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2021, 0, 1) };
  const RIGHT_CLOCK = Date.UTC(2026, 10, 22);
  const wrongBrokers: Record<string, () => Promise<readonly Issued[]>> = {
    'of a foreign root': async () => [await issue(LEAF, await issue({ commonName: 'other root', isAuthority: true }))],
    'of a root of the same name': async () => [
      await issue(LEAF, await issue({ commonName: 'broker root', isAuthority: true })),
    ],
    'with a self-signed certificate': async () => [await issue(LEAF)],
    'for another host': async () => [await issue({ ...LEAF, addresses: ['127.0.0.2'] }, rig.root)],
    'with the address in its common name only': async () => [await issue({ commonName: '127.0.0.1' }, rig.root)],
    'with a certificate for clients': async () => [await issue({ ...LEAF, usages: [CLIENT_AUTH] }, rig.root)],
    'whose issuer is no CA': async () => {
      const middle = await issue({ commonName: 'no authority' }, rig.root);
      return [await issue(LEAF, middle), middle];
    },
    'with more intermediates than the first allows': async () => {
      const first = await issue({ commonName: 'first', isAuthority: true, pathLength: 0 }, rig.root);
      const second = await issue({ commonName: 'second', isAuthority: true }, first);
      return [await issue(LEAF, second), second, first];
    },
    'of a foreign root, behind a fault of dates': async () => [
      await issue(
        { ...LEAF, notAfterMs: Date.UTC(2021, 0, 1) },
        await issue({ commonName: 'broker root', isAuthority: true }),
      ),
    ],
    'with an expired certificate': async () => [await issue({ ...LEAF, ...PAST }, rig.root)],
    'with an expired intermediate': async () => {
      const middle = await issue({ commonName: 'middle', isAuthority: true, ...PAST }, rig.root);
      return [await issue(LEAF, middle), middle];
    },
    'with a certificate of the future': async () => [
      await issue({ ...LEAF, notBeforeMs: Date.UTC(2048, 0, 1) }, rig.root),
    ],
  };

  for (const [name, makeChain] of Object.entries(wrongBrokers)) {
    test(`one ${name}`, async () => {
      const broker = await rig.startBroker({}, await makeChain());
      const { link, next } = rig.makeLink(broker, { clock: new VirtualClock(RIGHT_CLOCK), clockFloorMs: RIGHT_CLOCK });
      await link.start();
      const { error } = await next('down');
      expect(error).toMatchObject({ code: 'broker-untrusted' });
      expect(error.message).toContain(`mqtts://127.0.0.1:${broker.port}`);
      expect(broker.bytes).toBe(0);
    });

    const isMatterOfDates = /^with .*(expired|future)/.test(name);
    test(`one ${name}, ${isMatterOfDates ? 'but not' : 'also'} by a clock that is wrong for certain`, async () => {
      const broker = await rig.startBroker({}, await makeChain());
      const { link, next } = rig.makeLink(broker, { clock: new VirtualClock(0), clockFloorMs: RIGHT_CLOCK });
      await link.start();
      const outcome = await Promise.race([next('up'), next('down')]);
      expect(outcome.kind).toBe(isMatterOfDates ? 'up' : 'down');
      expect(broker.bytes > 0).toBe(isMatterOfDates);
    });
  }

  test('not one whose intermediate comes from the root', async () => {
    const middle = await issue({ commonName: 'middle', isAuthority: true }, rig.root);
    const { next } = await rig.startLink(await rig.startBroker({}, [await issue(LEAF, middle), middle]));
    expect(next).toBeDefined();
  });

  test('not one that is reached by its host name', async () => {
    const broker = await rig.startBroker({}, [await issue({ commonName: 'broker', hosts: ['localhost'] }, rig.root)]);
    await rig.startLink(broker, { brokerUrls: [`mqtts://localhost:${broker.port}`] });
    expect(broker.serverNames).toEqual(['localhost']);
  });
});
