import type { VirtualBroker } from '@lanyard/broker/virtual';
import { describe, expect, test } from 'vitest';
import { ZoneResolver } from './zone-resolver.ts';
import { openWorld } from './test-world.ts';

const NAME = '_acme-challenge.xi8qz.devices.test';

/** A record's data: each string after its length (RFC 1035 §3.3.14). */
function txt(...strings: readonly string[]): Uint8Array {
  return Buffer.concat(strings.flatMap((text) => [Buffer.from([text.length]), Buffer.from(text)]));
}

function resolver(records: readonly Uint8Array[]): { readonly resolver: ZoneResolver; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const broker = {
    records: (...what: readonly unknown[]) => {
      asked.push(what);
      return records;
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is asked
  return { resolver: new ZoneResolver(() => broker as unknown as VirtualBroker), asked };
}

test('the strings of a record are joined, and each record is a value', async () => {
  const long = 'x'.repeat(255);
  const { resolver: look, asked } = resolver([txt('one'), txt(long, 'rest'), txt('')]);
  expect(await look.txt(NAME)).toEqual(['one', `${long}rest`, '']);
  expect(asked).toEqual([[NAME, 16]]);
});

test('nothing there is NXDOMAIN, with the name', async () => {
  await expect(resolver([]).resolver.txt(NAME)).rejects.toMatchObject({
    outcome: 'NXDOMAIN',
    message: expect.stringContaining(`TXT for ${NAME}`),
  });
});

test('nobody answers while the broker is down', async () => {
  await expect(new ZoneResolver(() => undefined).txt(NAME)).rejects.toMatchObject({ outcome: 'query timed out' });
});

test('there are no CAA records', async () => {
  expect(await new ZoneResolver(() => undefined).caa()).toEqual([]);
});

describe('in a world', () => {
  test('what the broker has put up is found, as long as it is up', async () => {
    const put: string[] = [];
    const seen: string[] = [];
    const { world } = await openWorld({
      appliances: 1,
      between: (ports) => ({
        ...ports,
        board: {
          publish: (name, addresses) => ports.board.publish(name, addresses),
          list: () => ports.board.list(),
          clear: (record) => ports.board.clear(record),
          put: async (record) => {
            await ports.board.put(record);
            put.push(record.value);
            seen.push(...(await look.txt(record.name)));
          },
        },
      }),
    });
    const look = new ZoneResolver(() => world.vendor.broker);
    void world.boxes[0]!.powerOn('first boot');
    await world.clock.advance(600_000);
    expect(seen).toHaveLength(1);
    expect(seen).toEqual(put);
    const name = `_acme-challenge.${world.nameOf({ number: 0 })}`;
    await expect(look.txt(name)).rejects.toMatchObject({ outcome: 'NXDOMAIN' });
    await world.close();
  });
});
