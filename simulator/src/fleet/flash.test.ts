import { describe, expect, test } from 'vitest';
import { Flash } from './flash.ts';

const text = (written: string): Uint8Array => new Uint8Array(Buffer.from(written));

function flash(): { readonly flash: Flash; readonly written: number[] } {
  const written: number[] = [];
  return { flash: new Flash({ onWritten: (bytes) => written.push(bytes) }), written };
}

describe('wear', () => {
  test('every byte that is written is counted, also when it was there already', async () => {
    const { flash: memory, written } = flash();
    await memory.write('current', text('twelve bytes'));
    await memory.write('current', text('twelve bytes'));
    await memory.write('previous', text('four'));
    await memory.remove('current');
    expect(written).toEqual([12, 12, 4]);
  });

  test('what was not written is not counted', async () => {
    const { flash: memory, written } = flash();
    memory.breakDown('full');
    await memory.write('current', text('lost')).catch(() => {});
    expect(written).toEqual([]);
  });
});

test('nobody changes what is kept by changing what he wrote or read', async () => {
  const { flash: memory } = flash();
  const given = text('kept');
  await memory.write('current', given);
  given[0] = 0;
  const first = await memory.read('current');
  first!.fill(0);
  expect(await memory.read('current')).toEqual(text('kept'));
});

test('two entries with the same content stay two', async () => {
  const { flash: memory } = flash();
  await memory.write('current', text('same'));
  await memory.write('previous', text('same'));
  await memory.write('current', text('else'));
  expect(await memory.read('previous')).toEqual(text('same'));
  await memory.remove('previous');
  expect(await memory.read('previous')).toBeUndefined();
  expect(await memory.read('current')).toEqual(text('else'));
});

describe.each([
  ['full', 'ENOSPC'],
  ['read-only', 'EROFS'],
] as const)('%s', (fault, why) => {
  test('nothing can be written or removed, everything can be read', async () => {
    const { flash: memory } = flash();
    await memory.write('current', text('old'));
    memory.breakDown(fault);
    expect(memory.isBroken).toBe(true);
    const refusal = { code: 'vault-unwritable', message: expect.stringContaining(why) };
    await expect(memory.write('current', text('new'))).rejects.toMatchObject(refusal);
    await expect(memory.remove('current')).rejects.toMatchObject(refusal);
    expect(await memory.read('current')).toEqual(text('old'));
  });

  test('removing what is not there succeeds, and mended flash takes everything again', async () => {
    const { flash: memory } = flash();
    memory.breakDown(fault);
    await memory.remove('pending');
    memory.breakDown(undefined);
    expect(memory.isBroken).toBe(false);
    await memory.write('current', text('new'));
    expect(await memory.read('current')).toEqual(text('new'));
  });
});

describe('images', () => {
  test('an image stays as it was taken, and brings back exactly that', async () => {
    const { flash: memory } = flash();
    await memory.write('current', text('of March'));
    const image = memory.image();
    await memory.write('current', text('of April'));
    await memory.write('pending', text('a key'));
    memory.restore(image);
    expect(await memory.read('current')).toEqual(text('of March'));
    expect(await memory.read('pending')).toBeUndefined();
  });

  test('what is restored twice does not carry what was written in between', async () => {
    const { flash: memory } = flash();
    const empty = memory.image();
    memory.restore(empty);
    await memory.write('current', text('one'));
    memory.restore(empty);
    expect(await memory.read('current')).toBeUndefined();
    expect(empty.size).toBe(0);
  });

  test('an image put on a second flash leaves the first alone', async () => {
    const [original, twin] = [flash().flash, flash().flash];
    await original.write('current', text('shared'));
    twin.restore(original.image());
    await twin.write('current', text('own'));
    expect(await original.read('current')).toEqual(text('shared'));
  });

  test('erased flash holds nothing, and the image taken before still does', async () => {
    const { flash: memory } = flash();
    await memory.write('current', text('key'));
    const image = memory.image();
    memory.erase();
    expect(await memory.read('current')).toBeUndefined();
    expect(image.get('current')).toEqual(text('key'));
  });
});
