/** What every request passes on its way in and out, by whichever door: faults, ceilings, counting, telling. */
import { describeError, type Logger } from '@lanyard/sdk/kernel';
import type { AuthorityEvent } from './authority-event.ts';
import { ConnectionCut } from './connection-cut.ts';
import type { Counters } from './counters.ts';
import type { Faults } from './faults.ts';
import { Problem } from './problems.ts';
import type { CeilingName } from './rate-limits.ts';
import type { RequestCeilings } from './request-ceilings.ts';

export interface PassageParts {
  readonly log: Logger;
  readonly faults: Faults;
  readonly ceilings: RequestCeilings;
  readonly counters: Counters;
  readonly tell: (event: AuthorityEvent) => void;
}

export interface Passing {
  /** The folder below /acme/. */
  readonly operation: string;
  readonly ceiling: CeilingName | undefined;
  readonly address: string | undefined;
}

export class Passage {
  readonly #parts: PassageParts;

  constructor(parts: PassageParts) {
    this.#parts = parts;
  }

  /** @throws Problem and ConnectionCut, and nothing else. */
  async through<T>(passing: Passing, work: () => T | Promise<T>): Promise<T> {
    const { ceilings, counters, faults } = this.#parts;
    counters.add('requests');
    try {
      if (faults.isObstructing) await faults.before(passing.operation);
      if (passing.ceiling !== undefined) ceilings.admit(passing.ceiling, passing.address);
      const started = work();
      // Most work is done at once, and every await costs a turn of the loop.
      const result = started instanceof Promise ? await started : started;
      faults.after(passing.operation);
      return result;
    } catch (error) {
      if (error instanceof ConnectionCut) throw error;
      const problem = this.#asProblem(error, passing.operation);
      const { type, status, message } = problem;
      this.#parts.tell({ kind: 'refused', problem: type, status, detail: message });
      faults.after(passing.operation);
      throw problem;
    }
  }

  #asProblem(error: unknown, operation: string): Problem {
    if (error instanceof Problem) return error;
    this.#parts.log.error({ error: describeError(error), operation }, 'the model CA failed at a request');
    return new Problem('serverInternal', 'Internal error');
  }
}
