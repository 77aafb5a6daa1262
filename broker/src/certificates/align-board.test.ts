import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { expect, test } from 'vitest';
import { alignBoard } from './align-board.ts';
import type { ChallengeBoard, ChallengeRecord } from './challenge-board.ts';
import type { Order, OrderState, OrderStateKind } from './order.ts';

const HTTP: ChallengeRecord = { kind: 'http', name: 'a.example', value: 'token.thumbprint' };
const TXT: ChallengeRecord = { kind: 'txt', name: '_acme-challenge.a.example', value: 'digest' };

class Board implements ChallengeBoard {
  up: ChallengeRecord[];
  isRefusing = false;

  constructor(up: readonly ChallengeRecord[] = []) {
    this.up = [...up];
  }

  async put({ kind, name, value }: ChallengeRecord): Promise<void> {
    if (this.isRefusing) throw new LanyardError('config-invalid');
    this.up.push({ kind, name, value });
  }

  async clear({ kind, value }: ChallengeRecord): Promise<void> {
    this.up = this.up.filter((record) => record.kind !== kind || record.value !== value);
  }

  async list(): Promise<readonly ChallengeRecord[]> {
    return this.up;
  }
}

function orderIn(kind: 'publishing' | 'triggering' | 'proving' | 'collecting' | 'clearing', record = HTTP): Order {
  const challenges = [{ ...record, authorizationUrl: 'https://ca/authz/1', challengeUrl: 'https://ca/chall/1' }];
  const pace = { challenges, notBeforeMs: 0, tries: 1 };
  const state: OrderState =
    kind === 'clearing'
      ? { kind, aftermath: { kind: 'again', notBeforeMs: 0 }, ...pace }
      : { kind, orderUrl: 'https://ca/order/1', ...pace };
  const request = { id: 'o', deviceId: 'd', names: ['a.example'], keyHash: 'k', csr: Uint8Array.of(1) };
  return { ...request, requestedAtMs: 0, failures: 0, state };
}

const missing: readonly (readonly [Parameters<typeof orderIn>[0] & OrderStateKind, readonly ChallengeRecord[]])[] = [
  // Puts it up itself.
  ['publishing', []],
  ['triggering', [HTTP]],
  ['proving', [HTTP]],
  ['collecting', [HTTP]],
  ['clearing', []],
];

test.each(missing)('what an order that is %s misses is put up again when it needs it: %j', async (kind, up) => {
  const board = new Board();
  await alignBoard(board, [orderIn(kind)], silentLogger);
  expect(board.up).toEqual(up);
});

test('what is up already is left alone, and what belongs to no order is taken down', async () => {
  const board = new Board([TXT, { ...TXT, value: 'stray' }, { ...TXT, kind: 'http' }]);
  await alignBoard(board, [orderIn('proving', TXT)], silentLogger);
  expect(board.up).toEqual([TXT]);
});

test('what cannot be put up again keeps nobody from starting', async () => {
  const board = new Board();
  board.isRefusing = true;
  await alignBoard(board, [orderIn('proving')], silentLogger);
  expect(board.up).toEqual([]);
});
