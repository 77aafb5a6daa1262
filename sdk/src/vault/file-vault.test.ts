import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import { fileVault } from './file-vault.ts';
import { ENTRY_BYTES, sealEntry } from './sealed-entry.ts';

const OLD = Buffer.from('the old key and certificate');
const NEW = Buffer.from('a new key and certificate, and longer');

let parent = '';
let directory = '';

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'lanyard-vault-'));
  directory = join(parent, 'vault');
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

describe('a vault in files', () => {
  test('keeps everybody else out', async () => {
    await mkdir(directory, { mode: 0o755 });
    await fileVault(directory).write('current', OLD);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'current'))).mode & 0o777).toBe(0o600);
    await chmod(join(directory, 'current'), 0o644);
    await fileVault(directory).write('current', NEW);
    expect((await stat(join(directory, 'current'))).mode & 0o777).toBe(0o600);
  });

  test('makes no directory by being read', async () => {
    expect(await fileVault(directory).read('current')).toBeUndefined();
    expect(await readdir(parent)).toEqual([]);
  });

  test('removes what a crash left half written, at its first use', async () => {
    await fileVault(directory).write('current', OLD);
    await writeFile(join(directory, 'current.tmp'), 'half a ke');
    await writeFile(join(directory, 'pending.tmp'), '');
    const vault = fileVault(directory);
    expect(await vault.read('current')).toEqual(new Uint8Array(OLD));
    expect(await readdir(directory)).toEqual(['current']);
  });

  test('leaves the files of others alone: the folder may not be its own', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'firmware-image.tmp'), 'half an update');
    await fileVault(directory).write('current', OLD);
    expect(await readdir(directory)).toEqual(['current', 'firmware-image.tmp']);
  });

  test('sets a corrupt entry aside, where a person can look at it', async () => {
    const vault = fileVault(directory);
    await vault.write('pending', OLD);
    await writeFile(join(directory, 'pending'), 'lost');
    await expect(vault.read('pending')).rejects.toMatchObject({ code: 'vault-corrupt' });
    expect(await readdir(directory)).toEqual(['pending.corrupt']);
    expect(await readFile(join(directory, 'pending.corrupt'), 'utf8')).toBe('lost');
  });

  test('refuses every damage to a file', async () => {
    const sealed = sealEntry(OLD);
    const damages = [
      ...Array.from({ length: sealed.byteLength }, (_, at) =>
        sealed.map((byte, index) => (index === at ? byte ^ 4 : byte)),
      ),
      ...Array.from({ length: sealed.byteLength }, (_, length) => sealed.slice(0, length)),
      Buffer.concat([sealed, Buffer.from([0])]),
      new Uint8Array(ENTRY_BYTES * 2),
    ];
    await mkdir(directory);
    const vault = fileVault(directory);
    for (const damaged of damages) {
      await writeFile(join(directory, 'current'), damaged);
      await expect(vault.read('current')).rejects.toMatchObject({ code: 'vault-corrupt' });
    }
  });

  test('finds nothing after a corrupt entry even when the disk is read-only', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'current'), 'rubbish');
    const vault = fileVault(directory, { ...nodeDisk, rename: () => Promise.reject(systemError('EROFS')) });
    await expect(vault.read('current')).rejects.toMatchObject({ code: 'vault-corrupt' });
    expect(await vault.read('current')).toBeUndefined();
  });

  test.each(['ENOSPC', 'EROFS', 'EACCES', 'EIO', 'EDQUOT'])(
    'names %s and leaves no half-written file',
    async (code) => {
      await fileVault(directory).write('current', OLD);
      const vault = fileVault(directory, { ...nodeDisk, rename: () => Promise.reject(systemError(code)) });
      await expect(vault.write('current', NEW)).rejects.toMatchObject({
        code: 'vault-unwritable',
        message: `${join(directory, 'current')} could not be written: ${code}`,
        details: { systemCode: code },
      });
      expect(await readdir(directory)).toEqual(['current']);
      expect(await vault.read('current')).toEqual(new Uint8Array(OLD));
    },
  );

  test('does not set aside what it merely cannot read', async () => {
    await fileVault(directory).write('current', OLD);
    const vault = fileVault(directory, { ...nodeDisk, read: () => Promise.reject(systemError('EACCES')) });
    await expect(vault.read('current')).rejects.toMatchObject({
      code: 'vault-unwritable',
      message: `${join(directory, 'current')} could not be read: EACCES`,
    });
    expect(await readdir(directory)).toEqual(['current']);
  });

  test('takes no entry that is larger than it would read', async () => {
    const vault = fileVault(directory);
    const largest = new Uint8Array(ENTRY_BYTES).fill(7);
    await vault.write('current', largest);
    expect(await vault.read('current')).toEqual(largest);
    const tooLarge = new Uint8Array(ENTRY_BYTES + 1);
    await expect(vault.write('current', tooLarge)).rejects.toMatchObject({ code: 'vault-unwritable' });
    expect(await vault.read('current')).toEqual(largest);
  });

  test('lets only so many operations wait for a disk that hangs', async () => {
    const vault = fileVault(directory, { ...nodeDisk, list: () => new Promise(() => {}) });
    for (let count = 0; count < 32; count += 1) void vault.read('current');
    await expect(vault.read('current')).rejects.toMatchObject({ code: 'vault-unwritable' });
  });
});

describe('a power cut', () => {
  test.each(['lost', 'torn', 'kept'] as const)(
    'at any step leaves old or new bytes (unsynced data %s)',
    async (fate) => {
      const seen = new Set<string>();
      let step = 0;
      for (let isThrough = false; !isThrough; step += 1) {
        const disk = new PowerCutDisk();
        await fileVault('/v', disk).write('current', OLD);
        disk.cutAfter(step);
        isThrough = await fileVault('/v', disk)
          .write('current', NEW)
          .then(
            () => true,
            () => false,
          );
        disk.restart(fate);
        const read = await fileVault('/v', disk).read('current');
        const acceptable = isThrough ? [NEW] : [OLD, NEW];
        expect(acceptable.map(String)).toContain(Buffer.from(read!).toString());
        seen.add(Buffer.from(read!).toString());
        expect(disk.names('/v')).toEqual(['current']);
      }
      // Both outcomes occurred, so the cuts fell on either side of the decisive moment.
      expect(seen.size).toBe(2);
      expect(step).toBeGreaterThan(5);
    },
  );

  test.each(['lost', 'torn', 'kept'] as const)(
    'in a first write leaves nothing or the whole entry (%s)',
    async (fate) => {
      for (let step = 0; step < 12; step += 1) {
        const disk = new PowerCutDisk();
        disk.cutAfter(step);
        await fileVault('/v', disk)
          .write('pending', NEW)
          .catch(() => {});
        disk.restart(fate);
        const read = await fileVault('/v', disk).read('pending');
        expect(read === undefined || Buffer.from(read).equals(NEW)).toBe(true);
      }
    },
  );

  test('would be noticed if the bytes were not synced before the rename', async () => {
    const disk = new PowerCutDisk();
    await fileVault('/v', disk).write('current', OLD);
    disk.forgetsToSync = true;
    await fileVault('/v', disk).write('current', NEW);
    disk.restart('torn');
    await expect(fileVault('/v', disk).read('current')).rejects.toMatchObject({ code: 'vault-corrupt' });
  });
});

interface Inode {
  /** What a reader sees now. */
  cached: Uint8Array;
  /** What is on the medium for certain. */
  durable: Uint8Array | undefined;
}

/** A disk with a write cache: only what was synced is sure to be there after `restart`. */
class PowerCutDisk implements Disk {
  forgetsToSync = false;
  #cached = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #stepsLeft = Infinity;

  cutAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  /** What comes up: unsynced bytes are lost, torn or kept; unsynced names are lost, or kept with `kept` and `torn`. */
  restart(fate: 'lost' | 'torn' | 'kept'): void {
    this.#stepsLeft = Infinity;
    const names = fate === 'lost' ? this.#durable : this.#cached;
    const survivors = new Map<string, Inode>();
    for (const [name, inode] of names) {
      const unsynced = fate === 'lost' ? new Uint8Array() : inode.cached.slice(0, inode.cached.length / 2);
      const bytes = fate === 'kept' ? inode.cached : (inode.durable ?? unsynced);
      survivors.set(name, { cached: bytes, durable: bytes });
    }
    this.#cached = survivors;
    this.#durable = new Map(survivors);
  }

  names(path: string): readonly string[] {
    return [...this.#cached.keys()].filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1));
  }

  async makeDirectory(): Promise<void> {
    this.#step();
  }

  async list(path: string): Promise<readonly string[]> {
    return this.names(path);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#cached.get(path)?.cached.slice();
  }

  async writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    this.#step();
    const inode: Inode = { cached: new Uint8Array(), durable: undefined };
    this.#cached.set(path, inode);
    this.#step();
    inode.cached = bytes.slice(0, bytes.length / 2);
    this.#step();
    inode.cached = bytes.slice();
    this.#step();
    if (!this.forgetsToSync) inode.durable = inode.cached;
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const inode = this.#cached.get(from);
    if (inode === undefined) throw systemError('ENOENT');
    this.#cached.delete(from);
    this.#cached.set(to, inode);
  }

  async remove(path: string): Promise<void> {
    this.#step();
    this.#cached.delete(path);
  }

  async syncDirectory(): Promise<void> {
    this.#step();
    this.#durable = new Map(this.#cached);
  }

  #step(): void {
    if (this.#stepsLeft <= 0) throw new Error('the power is cut');
    this.#stepsLeft -= 1;
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
