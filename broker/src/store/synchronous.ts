/** A port's methods as the thread that owns the database runs them: answers instead of promises. */
export type Synchronous<Port> = {
  readonly [Method in keyof Port]: Port[Method] extends (...given: infer Given) => Promise<infer Answer>
    ? (...given: Given) => Answer
    : never;
};
