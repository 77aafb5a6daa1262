/** Who wants to hear what: typed, and safe from listeners that throw. */

export type Listener<Value> = (value: Value) => void;

export class Listeners<Events extends object> {
  readonly #sets: { [K in keyof Events]?: Set<Listener<Events[K]>> } = {};
  readonly #onError: (error: unknown) => void;

  constructor({ onError }: { readonly onError: (error: unknown) => void }) {
    this.#onError = onError;
  }

  /** @returns a function that takes the listener away. */
  add<K extends keyof Events>(kind: K, listener: Listener<Events[K]>): () => void {
    const set: Set<Listener<Events[K]>> = this.#sets[kind] ?? new Set();
    this.#sets[kind] = set;
    set.add(listener);
    return () => void set.delete(listener);
  }

  /** A listener that throws or rejects disturbs neither the others nor the process. */
  tell<K extends keyof Events>(kind: K, value: Events[K]): void {
    for (const listener of this.#sets[kind] ?? []) {
      try {
        const result: unknown = listener(value);
        if (result instanceof Promise) result.catch(this.#onError);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
