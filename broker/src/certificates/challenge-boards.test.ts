import { expect, test } from 'vitest';
import type { ChallengeBoard, ChallengeRecord } from './challenge-board.ts';
import { ChallengeBoards } from './challenge-boards.ts';

const TXT: ChallengeRecord = { kind: 'txt', name: '_acme-challenge.a.example', value: 'digest' };
const HTTP: ChallengeRecord = { kind: 'http', name: 'a.example', value: 'token.thumbprint' };

class Board implements ChallengeBoard {
  readonly up = new Set<ChallengeRecord>();

  async put(record: ChallengeRecord): Promise<void> {
    this.up.add(record);
  }

  async clear(record: ChallengeRecord): Promise<void> {
    this.up.delete(record);
  }

  async list(): Promise<readonly ChallengeRecord[]> {
    return [...this.up];
  }
}

test.each([TXT, HTTP])(
  'a record of kind $kind goes to the board of its kind and is taken down there',
  async (record) => {
    const each = { txt: new Board(), http: new Board() };
    const other = record.kind === 'txt' ? each.http : each.txt;
    const boards = new ChallengeBoards(each);
    await boards.put(record);
    expect(await each[record.kind].list()).toEqual([record]);
    expect(await other.list()).toEqual([]);
    expect(await boards.list()).toEqual([record]);
    await boards.clear(record);
    expect(await boards.list()).toEqual([]);
  },
);

test('what is up anywhere is listed', async () => {
  const boards = new ChallengeBoards({ txt: new Board(), http: new Board() });
  await boards.put(HTTP);
  await boards.put(TXT);
  expect(await boards.list()).toEqual([TXT, HTTP]);
});

test('without a board for it a record is refused, and there is nothing to take down', async () => {
  const boards = new ChallengeBoards({ txt: new Board() });
  await expect(boards.put(HTTP)).rejects.toMatchObject({ code: 'config-invalid' });
  await boards.clear(HTTP);
  expect(await boards.list()).toEqual([]);
});
