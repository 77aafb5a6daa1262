/** One board out of one for each kind of record. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { ChallengeBoard, ChallengeRecord } from './challenge-board.ts';

export interface BoardOfEachKind {
  readonly txt: ChallengeBoard;
  /** Absent: no CA of the settings is asked for http-01. */
  readonly http?: ChallengeBoard;
}

export class ChallengeBoards implements ChallengeBoard {
  readonly #boards: BoardOfEachKind;

  constructor(boards: BoardOfEachKind) {
    this.#boards = boards;
  }

  async put(record: ChallengeRecord): Promise<void> {
    const board = this.#boards[record.kind];
    if (board === undefined) throw unserved(record);
    await board.put(record);
  }

  async clear(record: ChallengeRecord): Promise<void> {
    // Where there is no board, nothing is up.
    await this.#boards[record.kind]?.clear(record);
  }

  async list(): Promise<readonly ChallengeRecord[]> {
    const { txt, http } = this.#boards;
    return [...(await txt.list()), ...((await http?.list()) ?? [])];
  }
}

/** An order from before the settings were changed: it fails, and the next one proves its name by the settings of today. */
function unserved({ name }: ChallengeRecord): LanyardError {
  return new LanyardError('config-invalid', { message: `${name}: acme.challenge is http-01 for no CA any more` });
}
