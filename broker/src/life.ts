/** One life of a simulated process: when it ends, its timers are gone and nothing that it asked for is ever answered. */
import { MortalTimers } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';

export class Life {
  readonly clock: Clock;
  readonly #timers: MortalTimers;

  constructor(clock: Clock) {
    this.#timers = new MortalTimers(clock);
    this.clock = {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => this.#timers.setTimer(delayMs, callback),
    };
  }

  get isOver(): boolean {
    return this.#timers.isOver;
  }

  end(): void {
    this.#timers.end();
  }

  /** The port as this life sees it: what is asked for takes effect, and its answer is lost when death comes before it. */
  bind<Port extends object>(port: Port): Port {
    const bound = new Map<string | symbol, unknown>();
    return new Proxy(port, {
      get: (target, name) => {
        const known = bound.get(name);
        if (known !== undefined) return known;
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        const ask = (...given: readonly unknown[]): unknown => this.#ask(member, target, given);
        bound.set(name, ask);
        return ask;
      },
    });
  }

  #ask(member: Function, target: object, given: readonly unknown[]): unknown {
    if (this.isOver) return never;
    const answer: unknown = Reflect.apply(member, target, given);
    return answer instanceof Promise ? this.#unlessOver(answer) : answer;
  }

  #unlessOver<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => this.isOver || resolve(value),
        (error: unknown) => this.isOver || reject(error),
      );
    });
  }
}

const never = new Promise<never>(() => {});
